/** Which files can be sent, as far as a browser knows, and taking those that are dropped: the same for both sides of a chat. */

const MAX_BYTES = 10 * 2 ** 20;
const ENDINGS = /\.(png|jpe?g|jpe|jfif|gif|webp|heic|heif|pdf|txt|text|log|md|csv)$/i;
const KINDS = /^(image\/(png|jpeg|gif|webp|heic|heif)|application\/pdf|text\/(plain|csv|markdown))$/;

/** Why a file cannot be sent: "empty", "too_large" or "kind"; null if it can. The server looks into it as well. */
export function faultOf({ name, size, type }) {
  if (size === 0) return "empty";
  if (size > MAX_BYTES) return "too_large";
  return KINDS.test(type) || ENDINGS.test(name) ? null : "kind";
}

/** Take files that are dropped anywhere on the page: `mark(within)` shows whether some are held above it, `take(files)` has them. */
export function takeDropped({ mark, take }) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  let within = 0;
  const moved = (depth) => mark((within = Math.max(0, depth)) > 0);
  document.addEventListener("dragenter", (event) => holdsFiles(event) && moved(within + 1));
  document.addEventListener("dragleave", (event) => holdsFiles(event) && moved(within - 1));
  document.addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault(); // or the browser would leave the page and show the file
    moved(0);
    take([...event.dataTransfer.files]);
  });
}
