// `npm run image:size [-- IMAGE [BASE]]`: prints how large an image is, unpacked, and how much of it is ours.
import { spawnSync } from 'node:child_process';

const [image = 'socketfleet:dev', base = 'node:24-bookworm-slim'] = process.argv.slice(2);
const MB = 1_000_000;
const UNITS = { B: 1, KB: 1_000, kB: 1_000, MB, GB: 1_000 * MB };

/** Each answers the bytes of an image, or undefined where the program or the image is missing. */
const TOOLS = {
  docker: (name) => Number(output('docker', ['image', 'inspect', '--format', '{{.Size}}', name])) || undefined,
  podman: (name) => Number(output('podman', ['image', 'inspect', '--format', '{{.Size}}', name])) || undefined,
  buildah: (name) => sizeOf(JSON.parse(output('buildah', ['images', '--json', name]) || '[]')[0]?.size),
};

const found = Object.entries(TOOLS)
  .map(([tool, bytes]) => ({ tool, bytes, total: bytes(image) }))
  .find(({ total }) => total !== undefined);
if (found === undefined) {
  console.error(`no image ${image} in ${Object.keys(TOOLS).join(', ')}; build it: docker build -t ${image} .`);
  process.exit(1);
}
const below = found.bytes(base);
const ours = below === undefined ? '' : `, ${inMb(found.total - below)} of it above ${base}`;
console.log(`${image}: ${inMb(found.total)}${ours} (${found.tool})`);

function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.trim() : '';
}

function sizeOf(text) {
  const [number, unit] = (text ?? '').split(' ');
  return number && unit in UNITS ? Number(number) * UNITS[unit] : undefined;
}

function inMb(bytes) {
  return `${Math.round(bytes / MB)} MB`;
}
