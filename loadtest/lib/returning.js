/** What clients that were cut off are owed: a parameter of all scenarios in which connections end. */
import { oneOf } from './params.js';

export const EXPECT = {
  ...oneOf('recovered', 'reconnected'),
  whenUnset: 'recovered',
  about:
    'recovered: nothing is lost, even by those who were away. reconnected: only what was sent during an outage may be.',
};

/** Thresholds for it. Over WebSocket a recovered session is asked of every return; with polling a session may be lost honestly. */
export function returned({ EXPECT: expected, BACK_MS }, thresholds) {
  const { sio_lost: nothingLost, ...others } = thresholds;
  return {
    ...others,
    ...(expected === 'recovered'
      ? { sio_lost: nothingLost, sio_recovered: ['rate==1'] }
      : { sio_lost_connected: ['count==0'] }),
    sio_still_out: ['count==0'],
    sio_outage_ms: [`max<${BACK_MS}`],
  };
}
