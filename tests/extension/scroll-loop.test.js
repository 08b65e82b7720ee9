/** The loop of scrolling and capturing, on played pages and at once: each way to end, nothing missed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector, MAX_SEEN } from '../../extension/content/scroll/collector.js';
import { MAX_ACTIVE_MS, MAX_STEPS, ScrollLoop } from '../../extension/content/scroll/loop.js';
import { PlayedClock, PlayedPage, makeCandidate } from './support/scrolled.js';

/** Run the loop over a page; `watch` sees each report before it is answered. */
async function scroll(page, goalCount, { watch = () => {}, counts = () => true } = {}) {
  const clock = new PlayedClock();
  const stopping = new AbortController();
  const found = [];
  const phases = [];
  const loop = new ScrollLoop({
    page,
    clock,
    goalCount,
    report: async (fresh, phase) => {
      found.push(...fresh);
      phases.push(phase);
      watch({ page, clock, found, stop: () => stopping.abort() });
      return found.filter(counts).length;
    },
    signal: stopping.signal,
  });
  const end = await loop.run();
  return { end, found, clock, loop, phases };
}
const urls = (count) => Array.from({ length: count }, (_, index) => makeCandidate(index).url);

test('it ends as soon as enough is found, without a step where that is there at once', async () => {
  const page = new PlayedPage({ count: 1000, loaded: 50, perLoad: 50 });
  const { end, found } = await scroll(page, 200);
  assert.equal(end, 'goal');
  assert.equal(found.length, 200);
  const full = new PlayedPage({ count: 300 });
  assert.equal((await scroll(full, 200)).end, 'goal');
  assert.equal(full.stepCount, 0);
});

test('it ends where the page does, after it has waited for more', async () => {
  const page = new PlayedPage({ count: 130, loaded: 50, perLoad: 40 });
  const { end, found, clock } = await scroll(page, 200);
  assert.deepEqual([end, found.length], ['end', 130]);
  assert.ok(clock.ms > 15_000 && clock.ms < 60_000, `${clock.ms} ms`);
});

test('a list that keeps 40 of its 600 images at a time is collected whole and in order', async () => {
  const page = new PlayedPage({ count: 600, kept: 40 });
  const { end, found } = await scroll(page, 2000);
  assert.equal(end, 'end');
  assert.deepEqual(
    found.map(({ url }) => url),
    urls(600),
  );
  assert.deepEqual(
    found.map(({ rank }) => rank),
    found.map((_, index) => index),
  );
});

test('a list that loads late is waited for', async () => {
  const page = new PlayedPage({ count: 200, loaded: 40, perLoad: 40 });
  const loadedAtMs = [];
  page.grow = () => loadedAtMs.push(page.clock.ms + 3500);
  const { end, found } = await scroll(page, 2000, {
    watch: ({ clock }) => {
      page.clock = clock;
      clock.onTick = (ms) => {
        if (loadedAtMs.length === 0 || ms < loadedAtMs[0]) return;
        loadedAtMs.length = 0;
        PlayedPage.prototype.grow.call(page);
      };
    },
  });
  assert.deepEqual([end, found.length], ['end', 200]);
});

test('Stop ends it at the next look, and what was found counts', async () => {
  const page = new PlayedPage({ count: 5000, loaded: 40, perLoad: 40 });
  const { end, found, loop } = await scroll(page, 2000, {
    watch: ({ found: all, stop }) => all.length >= 120 && stop(),
  });
  assert.equal(end, 'stopped');
  assert.ok(found.length >= 120 && found.length <= 200);
  assert.equal(loop.stepCount, page.stepCount);
});

test('a captcha ends it, with what the page still shows', async () => {
  const page = new PlayedPage({ count: 5000, loaded: 40, perLoad: 40 });
  const { end, found } = await scroll(page, 2000, {
    watch: ({ found: all }) => {
      page.isBlocked = all.length >= 100;
    },
  });
  assert.deepEqual([end, found.length % 40], ['blocked', 0]);
});

test('another search ends it, and nothing of that is collected', async () => {
  const page = new PlayedPage({ count: 5000, loaded: 40, perLoad: 40 });
  const { end, found } = await scroll(page, 2000, {
    watch: ({ found: all }) => {
      if (all.length >= 80) page.subject = 'bing birds';
    },
  });
  assert.deepEqual([end, found.length], ['query-changed', 80]);
});

test('in a hidden tab it waits without scrolling, and goes on when that is shown', async () => {
  const page = new PlayedPage({ count: 160, loaded: 40, perLoad: 40 });
  const stepsWhenHidden = [];
  const { end, phases, found } = await scroll(page, 160, {
    watch: ({ found: all, clock }) => {
      if (all.length === 80 && stepsWhenHidden.length === 0) {
        page.hidden = true;
        stepsWhenHidden.push(page.stepCount);
        clock.onTick = (ms) => {
          if (ms < 400_000) return;
          stepsWhenHidden.push(page.stepCount);
          page.hidden = false;
          clock.onTick = () => {};
        };
      }
    },
  });
  assert.deepEqual([end, found.length], ['goal', 160]);
  assert.equal(stepsWhenHidden[0], stepsWhenHidden[1]);
  assert.deepEqual(
    phases.filter((phase, index) => phase !== phases[index - 1]),
    ['running', 'hidden', 'running'],
  );
});

test('a tab that stays hidden ends it, and can be stopped meanwhile', async () => {
  const page = new PlayedPage({ count: 160, loaded: 40 });
  page.hidden = true;
  assert.equal((await scroll(page, 160)).end, 'hidden-too-long');
  const { end } = await scroll(page, 160, {
    watch: ({ clock, stop }) => {
      clock.onTick = (ms) => ms > 60_000 && stop();
    },
  });
  assert.equal(end, 'stopped');
});

test('the button for more is pressed at the end alone, and not for ever', async () => {
  const page = new PlayedPage({ count: 200, loaded: 40, perLoad: 40, button: 'press' });
  const { end, found } = await scroll(page, 2000);
  assert.deepEqual([end, found.length, page.pressCount], ['end', 200, 4]);
  const liar = new PlayedPage({ count: 200, loaded: 40, perLoad: 0, button: 'press' });
  assert.equal((await scroll(liar, 2000)).end, 'end');
  assert.equal(liar.pressCount, 3);
});

test('a page that grows for ever without anything new ends it', async () => {
  const page = new PlayedPage({ count: 40 });
  page.height = () => 100_000 + page.stepCount;
  page.isAtEnd = () => false;
  const { end, loop } = await scroll(page, 200);
  assert.equal(end, 'nothing-new');
  assert.ok(loop.stepCount < 50);
});

test('a page that never ends and of which nothing counts meets a cap', async () => {
  const page = new PlayedPage({ count: 1e9, loaded: 40, perLoad: 400 });
  page.read = () => ({
    subject: page.subject,
    isBlocked: false,
    candidates: Array.from({ length: 40 }, (_, index) =>
      makeCandidate(page.stepCount * 40 + index),
    ),
  });
  const { end, found } = await scroll(page, 200, { counts: () => false });
  assert.deepEqual([end, found.length], ['seen-cap', MAX_SEEN]);
});

test('slow drips meet the cap on steps or that on time', async () => {
  const page = new PlayedPage({ count: 1e9 });
  let stepCount = 0;
  page.isAtEnd = () => false;
  page.stepDown = () => {
    stepCount += 1;
  };
  page.read = () => ({
    subject: page.subject,
    isBlocked: false,
    candidates: [makeCandidate(Math.floor(stepCount / 2))],
  });
  const { end, clock } = await scroll(page, 2000);
  assert.equal(end, 'time-cap');
  assert.ok(clock.ms >= MAX_ACTIVE_MS && clock.ms < MAX_ACTIVE_MS * 1.1);
  stepCount = 0;
  const hasty = new PlayedClock();
  hasty.sleep = async () => {};
  const loop = new ScrollLoop({
    page,
    clock: hasty,
    goalCount: 2000,
    report: async () => 0,
    signal: new AbortController().signal,
  });
  assert.equal(await loop.run(), 'step-cap');
  assert.equal(stepCount, MAX_STEPS);
});

test('what is seen again stays where it was first seen', () => {
  const collector = new Collector();
  const [a, b, c] = [0, 1, 2].map(makeCandidate);
  assert.deepEqual(collector.add([b, a]), [
    { ...b, rank: 0 },
    { ...a, rank: 1 },
  ]);
  assert.deepEqual(collector.add([a, c, b, c]), [{ ...c, rank: 2 }]);
});
