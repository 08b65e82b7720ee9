/** Several things at a time, and never more. */

/**
 * Do something with each item, several at a time. The first that fails ends them all.
 *
 * @template T
 * @param {number} laneCount How many at a time.
 * @param {T[]} items The items, taken in order.
 * @param {(item: T, isFirst: boolean) => Promise<void>} act What to do; told whether its lane begins.
 */
export async function inLanes(laneCount, items, act) {
  const waiting = [...items];
  let hasFailed = false;
  const lanes = Array.from({ length: Math.min(laneCount, items.length) }, async () => {
    let isFirst = true;
    for (let item = waiting.shift(); item !== undefined && !hasFailed; item = waiting.shift()) {
      try {
        await act(item, isFirst);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
      isFirst = false;
    }
  });
  const results = await Promise.allSettled(lanes);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw /** @type {PromiseRejectedResult} */ (failed).reason;
}
