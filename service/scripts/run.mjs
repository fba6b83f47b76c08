// `npm run token` and `npm run client`: the built program with its arguments.
import { prepare } from './prepare.mjs';

await prepare();
await import('../../dist/main.js');
