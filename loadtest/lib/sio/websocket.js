/** WebSocket as a transport, on k6's own event loop. */
import { WebSocket } from 'k6/websockets';
import { engineUrl } from './address.js';

/** `hooks`: `onOpen()`, `onPacket(packet, receivedAt)`, `onClose(reason, detail)`. The jar carries the affinity cookie. */
export function createWebSocket({ target, jar, headers, tags, sid }, hooks) {
  let socket;
  let isOver = false;

  function over(reason, detail) {
    if (isOver) return;
    isOver = true;
    hooks.onClose(reason, detail);
  }

  return {
    name: 'websocket',
    open() {
      const params = { jar, headers, tags: { ...tags, kind: 'websocket', name: 'websocket' } };
      let isOpen = false;
      try {
        socket = new WebSocket(engineUrl(target, 'websocket', sid), null, params);
      } catch (error) {
        // As any other failure: after open() has returned.
        setTimeout(() => over('transport error', { kind: 'websocket', error: String(error) }), 0);
        return;
      }
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => {
        isOpen = true;
        if (!isOver) hooks.onOpen();
      };
      socket.onmessage = ({ data, timestamp }) => {
        if (!isOver) hooks.onPacket(data, timestamp);
      };
      socket.onerror = ({ error }) => over(isOpen ? 'transport close' : 'transport error', explained(String(error)));
      socket.onclose = ({ code, reason }) => over('transport close', { kind: 'websocket', code, reason });
    },
    opened: () => undefined,
    send(packet) {
      if (!isOver) socket.send(packet);
    },
    close() {
      isOver = true;
      socket?.close();
    },
    abandon() {
      isOver = true;
      socket?.close();
    },
  };
}

/** A close frame comes as an error that holds its code. A refused upgrade says only "bad handshake": its HTTP status is not told. */
function explained(error) {
  const [, code, reason = ''] = /^websocket: close (\d{4})(?: \([^)]*\))?(?:: (.*))?$/.exec(error) ?? [];
  return code === undefined ? { kind: 'websocket', error } : { kind: 'websocket', code: Number(code), reason };
}
