import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findChromium, launchChromium } from '../support/browser.ts';
import { startProcess } from '../support/start-process.ts';

const chromium = findChromium();
if (chromium === undefined) console.log('SKIPPED browser: no chromium found');

const DEMO = { SOCKETFLEET_DEMO: 'on', SOCKETFLEET_RECOVERY: 'on' };
const SECRET = 'for-tests-only-'.repeat(3);

describe.skipIf(chromium === undefined)('the page at / in a real browser', { timeout: 60_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '');
  });
  afterAll(() => browser?.close());

  /** A page of its own profile. Whatever the browser complains about fails the test. */
  async function open(url: string, query: Record<string, string> = {}): Promise<Page> {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    onTestFinished(async () => {
      await context.close();
      // The browser reports each failed request of a server that was stopped on purpose.
      expect(complaints.filter((text) => !/ERR_CONNECTION_REFUSED|WebSocket connection to/.test(text))).toEqual([]);
    });
    await page.goto(`${url}/?${new URLSearchParams(query)}`);
    return page;
  }
  const inState = (page: Page, state: string) => page.waitForSelector(`#state[data-state=${state}]`);
  const inRoom = async (page: Page) => {
    await inState(page, 'connected');
    await page.locator('#here', { hasText: /\d+ here/ }).waitFor();
  };
  const say = async (page: Page, text: string) => {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
  };
  const message = (page: Page, text: string) => page.locator('.message .text', { hasText: text });
  const messages = (page: Page) => page.locator('.message .text').allTextContents();

  test('two pages see each other and what the other says', async () => {
    const { url } = await startProcess(DEMO);
    const ada = await open(url, { name: 'ada' });
    await inRoom(ada);
    const bob = await open(url, { name: 'bob' });
    await inRoom(bob);
    await ada.locator('#people .name', { hasText: 'bob' }).waitFor();
    await bob.locator('#people .name', { hasText: 'ada' }).waitFor();
    await say(ada, 'hello bob');
    await message(bob, 'hello bob').waitFor();
    expect(await bob.locator('.message:not(.own) .by b').first().textContent()).toBe('ada');
    await say(bob, 'hello ada');
    await message(ada, 'hello ada').waitFor();
    expect(await messages(ada)).toEqual(['hello bob', 'hello ada']);
    expect(await ada.locator('.message.own:not(.waiting)').count()).toBe(1);
    await bob.close();
    await ada.locator('#people .name', { hasText: 'bob' }).waitFor({ state: 'detached', timeout: 30_000 });
  });

  test('shows the id, the pod, the transport and the round trip', async () => {
    const { url } = await startProcess({ ...DEMO, SOCKETFLEET_POD: 'pod-7' });
    const page = await open(url);
    await inRoom(page);
    expect(await page.textContent('#sid')).toMatch(/^[\w-]{20}$/);
    await page.locator('#transport', { hasText: 'websocket' }).waitFor();
    expect(await page.textContent('#pod')).toBe('pod-7');
    await page.locator('#rtt', { hasText: /[\d.]+ m?s/ }).waitFor();
    await page.locator('#spark[points*=" "]').waitFor({ state: 'attached' });
  });

  test('a dropped connection comes back recovered, with what was said meanwhile, once and in order', async () => {
    const { url } = await startProcess(DEMO);
    const ada = await open(url, { name: 'ada' });
    const bob = await open(url, { name: 'bob' });
    await inRoom(ada);
    await inRoom(bob);
    await say(ada, 'before');
    await message(bob, 'before').waitFor();
    await bob.locator('#transport', { hasText: 'websocket' }).waitFor();
    await bob.click('#drop');
    await inState(bob, 'reconnecting');
    await say(ada, 'meanwhile 1');
    await say(ada, 'meanwhile 2');
    await say(bob, 'typed while away');
    await inState(bob, 'connected');
    await message(ada, 'typed while away').waitFor();
    await message(bob, 'meanwhile 2').waitFor();
    expect(await bob.textContent('#recovered')).toBe('yes');
    expect(await bob.textContent('#reconnects')).toBe('1');
    expect((await messages(bob)).filter((text) => text !== 'typed while away')).toEqual([
      'before',
      'meanwhile 1',
      'meanwhile 2',
    ]);
    expect((await messages(ada)).filter((text) => text === 'typed while away')).toHaveLength(1);
  });

  test('after a restart of the server without a memory it joins its rooms again in a new session', async () => {
    const first = await startProcess(DEMO);
    const page = await open(first.url, { name: 'ada' });
    await inRoom(page);
    first.child.kill('SIGKILL');
    await inState(page, 'reconnecting');
    await first.exit;
    await startProcess({ ...DEMO, PORT: new URL(first.url).port });
    await inRoom(page);
    await page.locator('#recovered', { hasText: 'no' }).waitFor();
    await say(page, 'still here');
    await page.locator('.message.own:not(.waiting)', { hasText: 'still here' }).waitFor();
  });

  test('rooms can be joined, switched and left, and unread messages are counted', async () => {
    const { url } = await startProcess(DEMO);
    const ada = await open(url, { name: 'ada' });
    const bob = await open(url, { name: 'bob', room: 'tea' });
    await inRoom(ada);
    await inRoom(bob);
    await ada.fill('#join input', 'tea');
    await ada.press('#join input', 'Enter');
    await ada.locator('#people .name', { hasText: 'bob' }).waitFor();
    await ada.click('#rooms button:has-text("lobby")');
    await say(bob, 'anybody in here?');
    await ada.locator('#rooms button:has-text("tea") .badge', { hasText: '1' }).waitFor();
    await ada.click('#rooms button:has-text("tea")');
    await message(ada, 'anybody in here?').waitFor();
    await ada.click('#leave');
    await bob.locator('#people .name', { hasText: 'ada' }).waitFor({ state: 'detached' });
    expect(await ada.textContent('#title')).toBe('lobby');
  });

  test('markup in a message, a name or a room stays text', async () => {
    const { url } = await startProcess(DEMO);
    const evil = '<img src=x onerror="document.title=1">';
    const ada = await open(url, { name: evil, room: evil });
    const bob = await open(url, { name: 'bob', room: evil });
    await inRoom(ada);
    await inRoom(bob);
    await say(ada, evil);
    await message(bob, evil).waitFor();
    expect(await bob.locator('img').count()).toBe(0);
    expect(await bob.textContent('#title')).toBe(evil);
  });

  test('a server that wants a token says so, and takes one from the field', async () => {
    const env = { ...DEMO, SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET: SECRET };
    const { url } = await startProcess(env);
    const page = await open(url, { name: 'anyone' });
    await inState(page, 'offline');
    await page.locator('#notice', { hasText: 'npm run token' }).waitFor();
    await page.fill('#token', await mint('ada'));
    await page.click('#access button');
    await inRoom(page);
    // Whom a token vouches for goes by that name, not by one of their own choice.
    await page.locator('#people .name', { hasText: 'ada' }).waitFor();
    expect(await page.inputValue('#name')).toBe('ada');
    expect(await page.locator('#notice').isVisible()).toBe(false);
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
  });

  test('without development mode there is no page', async () => {
    const { url } = await startProcess();
    for (const path of ['/', '/demo/socket.io.js']) expect((await fetch(url + path)).status).toBe(404);
  });
});

async function mint(sub: string): Promise<string> {
  const { SignJWT } = await import('jose');
  return new SignJWT({ rooms: ['*'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(SECRET));
}
