import type { Scenario } from '../lib/scenario.ts';
import { affinity } from './affinity.ts';
import { crowd } from './crowd.ts';
import { helmTest } from './helm-test.ts';
import { install } from './install.ts';
import { otherName } from './other-name.ts';
import { ownRedis } from './own-redis.ts';
import { podDelete } from './pod-delete.ts';
import { podKill } from './pod-kill.ts';
import { quickStart } from './quick-start.ts';
import { redisDelete } from './redis-delete.ts';
import { rolloutRestart } from './rollout-restart.ts';
import { rotateSecrets } from './rotate-secrets.ts';
import { scaleDown, scaleUp } from './scale.ts';
import { uninstall } from './uninstall.ts';
import { rollback, upgrade } from './upgrade.ts';

/** Everything that is done to an installation, in this order. */
export const SCENARIOS: readonly Scenario[] = [
  quickStart,
  otherName,
  ownRedis,
  install,
  helmTest,
  affinity,
  crowd,
  rolloutRestart,
  podDelete,
  podKill,
  scaleUp,
  scaleDown,
  // Redis starts anew with the new password only.
  rotateSecrets,
  redisDelete,
  upgrade,
  rollback,
  uninstall,
];
