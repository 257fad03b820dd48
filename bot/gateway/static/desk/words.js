/** Every sentence of the desk that is said in more than one place, or chosen by data. */

export const words = {
  title: "Desk",
  offline: "The server cannot be reached. Please check the connection and try again.",
  errors: {
    unknown: "Something went wrong on our side. Please try again.",
    too_many_files: "That is as much as can be sent here in a day. Try again tomorrow, or send it in another way.",
    conflict: "That was too late: somebody else was faster, or the customer changed it. This is how it stands now.",
  },
  connection: {
    connecting: "Connecting…",
    offline: "The connection is lost. What you write is kept; the desk catches up by itself once it is back.",
  },
  tabs: { mine: "Mine", queue: "Queue", callback: "Call-backs", bot: "Bot", search: "Search" },
  tabTitles: {
    mine: "Conversations that you are working on",
    queue: "Customers who wait for a person",
    callback: "Customers who are to be called back",
    bot: "Conversations that the assistant has",
    search: "Search all conversations",
  },
  empty: {
    mine: "You have no conversation at the moment.",
    queue: "Nobody is waiting.",
    callback: "Nobody is waiting for a call.",
    bot: "The assistant has no conversation at the moment.",
    search: "Type a name, an e-mail address, an order number, a label or a few words.",
    found: "Nothing was found. People, orders and labels are found however old; words only in the newest 100,000 messages.",
    failed: "This cannot be looked up just now.",
  },
  stages: {
    bot: "With the assistant",
    queue: "Waiting",
    agent: "With a person",
    callback: "Call-back",
    resolved: "Resolved",
  },
  reasons: {
    asked: "Asked for a person",
    turn_failed: "The assistant failed",
    misunderstood: "Not understood",
    complaint: "Complaint",
    report_problem: "Problem with an order",
    callback: "Wants a call",
    abuse: "Abusive",
    account: "Account",
    low_rating: "Low rating",
    anger: "Angry",
    for_people: "For people",
    taken_over: "Stepped in",
  },
  steps: {
    ask: "Passed to the team",
    ask_closed: "Nobody could be reached, and a call-back was promised",
    "ask_closed callback": "The customer asked for a call-back",
    leave_message: "The customer left a message for a call-back",
    called: "The customer was called back",
    write_again: "The customer wrote again",
    log_out: "The customer logged out",
    end: "The customer ended the chat",
    stop: "The customer stopped this chat, and does not get what is written here",
    erase: "Everything about the customer was erased",
  },
  // What somebody at the desk did, after their name.
  deeds: {
    blocked: "blocked it: nobody answers here any more",
    unblocked: "unblocked it: the customer is answered again",
  },
  channels: { web: "Website", telegram: "Telegram", rest: "App", email: "E-mail" },
  authors: { customer: "Customer", bot: "Assistant", agent: "Agent", system: "Notice" },
  roles: { agent: "Agent", admin: "Admin" },
  summary: {
    why: "Why",
    wish: "Wish",
    order: "Order",
    details: "Mentioned",
    said: "In their words",
    tried: "Also asked",
    agreed: "Said yes to",
    declined: "Said no to",
    unfinished: "Not finished",
    unclear: "Not understood",
    noted: "Noted",
    rating: "Rating",
    mood: "Mood",
  },
};

/** A name of a program for people: "check_points" reads "Check points". */
export function readable(name) {
  const text = String(name ?? "").replace(/[_-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "1 message", "2 messages". */
export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

export const percent = (share) => `${Math.round(share * 100)} %`;

/** How a customer is called where nothing better is known. */
export const nameOf = (customer) => customer?.name || customer?.claimed?.name || "Visitor";

/** Up to two letters to stand for a name. */
export function initials(name) {
  const parts = String(name).match(/[\p{L}\p{N}]+/gu) ?? ["?"];
  return [parts[0], parts.length > 1 ? parts.at(-1) : ""].map((part) => [...part][0] ?? "").join("").toUpperCase();
}
