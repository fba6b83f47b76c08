import { describe, expect, it } from 'vitest';
import { type CheckResult, healthReport, shortReport } from '../../../src/ops/health.ts';

const ready = { isReady: true, phase: 'ready', pod: 'pod-1', version: '1.2.3' };
const well: CheckResult = { name: 'keys', gates: 'ready', ok: true, details: { keys: 2 } };
const reported: CheckResult = { name: 'lag', gates: 'nothing', ok: false, reason: 'slow' };
const gating: CheckResult = { name: 'redis', gates: 'ready', ok: false, reason: 'refused' };

describe('the health report', () => {
  it('is ok when the phase says ready and no check fails', () => {
    expect(healthReport(ready, [well])).toEqual({
      status: 'ok',
      phase: 'ready',
      pod: 'pod-1',
      version: '1.2.3',
      checks: { keys: { ok: true, gates: 'ready', keys: 2 } },
    });
  });

  it('stays ok when a check fails that gates nothing, and still shows it', () => {
    const report = healthReport(ready, [reported]);
    expect(report.status).toBe('ok');
    expect(report.checks).toEqual({ lag: { ok: false, gates: 'nothing', reason: 'slow' } });
  });

  it('is an error when a check fails that gates readiness', () => {
    expect(healthReport(ready, [well, gating]).status).toBe('error');
  });

  it('is an error while the phase says no, whatever the checks say', () => {
    const report = healthReport({ ...ready, isReady: false, phase: 'starting' }, [well]);
    expect(report).toMatchObject({ status: 'error', phase: 'starting' });
  });

  it('does not let the details of a check speak for the check', () => {
    const liar: CheckResult = { name: 'liar', gates: 'ready', ok: true, details: { ok: false, gates: 'nothing' } };
    expect(healthReport(ready, [liar]).checks).toEqual({ liar: { ok: true, gates: 'ready' } });
  });

  it('shows a check that is well but degraded in the short form: an outage that empties nothing is no secret', () => {
    const degraded: CheckResult = {
      name: 'redis',
      gates: 'ready',
      ok: true,
      details: { degraded: true, reason: 'away' },
    };
    expect(shortReport(ready, [degraded])).toMatchObject({
      status: 'ok',
      checks: { redis: { ok: true, reason: 'away' } },
    });
  });

  it('shows only failing checks in the short form, with the same status', () => {
    const results = [well, reported, gating];
    expect(shortReport(ready, results).status).toBe(healthReport(ready, results).status);
    expect(Object.keys(shortReport(ready, results).checks)).toEqual(['lag', 'redis']);
  });
});
