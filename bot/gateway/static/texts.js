/** Every sentence the panel shows, in one place, so that it can be read and translated as a whole. */

export const texts = {
  greeting: (assistant, shop, customer) =>
    `Hi${customer ? ` ${customer}` : ""}! I'm ${assistant}, ${shop}'s assistant (a bot). ` +
    "Ask me about your order, our opening hours, or for a person.",
  starters: ["Where is my order?", "What are your opening hours?", "I'd like to talk to a person"],
  subtitle: {
    bot: (assistant) => `${assistant} · assistant (bot)`,
    queue: () => "Waiting for a person",
    agent: (_assistant, agent) => (agent ? `${agent} · our team` : "Our team"),
  },
  signedInAs: (name) => `Signed in as ${name}`,

  you: "You",
  team: "Our team",
  notice: "Notice",
  botSuffix: "assistant",
  agentSuffix: "our team",
  said: (name) => `${name} said: `,
  choose: "Choose an answer",
  chosen: " (chosen)",
  status: { sending: "Sending…", delivered: "Delivered", failed: "Not sent" },
  tryAgain: "Try again",
  edit: "Edit",
  today: "Today",
  yesterday: "Yesterday",
  isTyping: (name) => `${name} is typing…`,
  slow: "This takes a little longer than usual. Your message is safe, and the answer will appear here.",

  connecting: "Connecting…",
  offline: "The chat is offline at the moment. You can keep writing: your messages will go out when the connection is back.",
  refused: "This chat could not be opened. Please try again in a moment.",
  queue: (position) =>
    position
      ? `A person will be with you soon. You are number ${position} in line, and you can keep writing.`
      : "A person will be with you soon. You can keep writing.",
  agentHere: (name) => (name ? `You are talking with ${name} from our team.` : "You are talking with a person from our team."),
  botBack: (assistant) => `You are back with ${assistant}, the assistant.`,
  end: { queue: "Stop waiting", agent: "End chat" },
  endQuestion: { queue: "Leave the line?", agent: "End this chat?" },
  endYes: { queue: "Yes, leave", agent: "Yes, end it" },
  endNo: "Cancel",

  saved: "The conversation is saved as a file.",
  fileName: (shop, now) => `${shop} ${now.toISOString().slice(0, 10)}.txt`,

  left: (count) => (count === 1 ? "1 character left" : `${count.toLocaleString("en")} characters left`),
  full: (max) => `That is the limit of ${max.toLocaleString("en")} characters.`,
  identityExpired: "Your sign-in has run out. Please sign in on the shop's page again to see your account here.",
  errors: {
    rate_limited: (seconds) => `That was a lot of messages at once. The next one goes out in ${seconds} s.`,
    too_long: (max) => `This message is too long. Please keep it within ${max.toLocaleString("en")} characters.`,
    unknown_choice: () => "That choice is no longer open. Please write your answer instead.",
    unauthorized: () => "The chat had to sign you in again. Please try once more.",
    duplicate_client_id: () => "This message was not sent. Please try again.",
    bad_request: () => "This message was not sent. Please try again.",
  },
  unknownError: "Something went wrong on our side. Please try again.",
};
