/** What the shop has decided about the panel, asked for once before anything is drawn. */

const RETRY_AFTER_MS = 800;

/** {language: {code, direction}, texts, …}: see "The look of the chat" in the documentation. */
export const config = await load().catch(async () => {
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  return load();
});

async function load() {
  // The very address that the answer with this page told the browser to fetch ahead.
  const language = new URLSearchParams(location.search).get("lang") ?? "";
  const response = await fetch(`/chat/config?lang=${encodeURIComponent(language)}`);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}
