/** Parts of the page that change in place, so that focus, scrolling and what is open stay as they are. */

const shown = new WeakMap();

/** Draw a part of the page anew; whoever was in it stays at what has the same `data-part`, or goes to `instead()`. */
export async function drawAnew(root, draw, instead) {
  const focused = root.contains(document.activeElement) ? document.activeElement : null;
  const part = focused?.dataset.part;
  await draw();
  // Whoever went elsewhere meanwhile stays there.
  if (!focused || focused.isConnected || document.activeElement !== document.body) return;
  const same = part ? root.querySelector(`[data-part="${CSS.escape(part)}"]`) : null;
  (same ?? instead())?.focus({ preventScroll: true });
}

/**
 * Make a parent show `items` ({key, sign, draw, update}) in their order; what has the same `sign` as before is left alone.
 * With `update(node)`, what has changed is changed in its place: a click that has begun on it is not lost.
 */
export function showItems(parent, items) {
  const before = shown.get(parent) ?? new Map();
  const after = new Map();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const focusKey = focused?.closest("[data-key]")?.dataset.key;
  const focusPart = focused?.dataset.part;
  for (const { key, sign, draw, update } of items) {
    const known = before.get(key);
    const isStale = known !== undefined && known.sign !== sign;
    const node = known && !(isStale && !update) ? known.node : draw();
    if (isStale && update) update(node);
    node.dataset.key = key;
    after.set(key, { sign, node });
  }
  const wanted = new Set([...after.values()].map(({ node }) => node));
  for (const { node } of before.values()) if (!wanted.has(node)) node.remove();
  let place = parent.firstChild;
  for (const { node } of after.values()) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  shown.set(parent, after);
  if (!focused || document.activeElement === focused) return;
  const node = after.get(focusKey)?.node;
  const target = focused.isConnected ? focused : node?.querySelector(`[data-part="${CSS.escape(focusPart ?? "")}"]`);
  target?.focus({ preventScroll: true });
}
