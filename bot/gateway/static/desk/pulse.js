/** A worker that beats: browsers slow down the timers of a page in the background, and the desk would seem closed. */

const EVERY_MS = 15000;

setInterval(() => postMessage("beat"), EVERY_MS);
