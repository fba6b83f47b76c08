// `npm run build`: dist from service/src, with what is no TypeScript beside it.
import { build } from './prepare.mjs';

build();
