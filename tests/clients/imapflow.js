// What with_imapflow of tests/clients/work.py runs. usage: node imapflow.js PORT USER PASSWORD CERTIFICATE
const assert = require("assert");
const fs = require("fs");
const { ImapFlow } = require("imapflow");

async function workIn(client) {
  const subjects = {};
  for await (const { uid, envelope } of client.fetch("1:*", { uid: true, envelope: true })) {
    subjects[envelope.subject] = uid;
  }
  assert.deepStrictEqual(Object.keys(subjects), ["one", "two", "three", "four"]);
  const byUid = { uid: true };
  const { content } = await client.download(subjects.one, "TEXT", byUid);
  assert.strictEqual(Buffer.concat(await content.toArray()).toString(), "Body of one\r\n");
  assert.deepStrictEqual(await client.search({ subject: "two" }, byUid), [subjects.two]);
  assert(await client.messageFlagsAdd(subjects.one, ["\\Seen"], byUid));
  assert(await client.messageFlagsAdd(subjects.two, ["\\Flagged"], byUid));
  assert.strictEqual((await client.messageMove(subjects.three, "Archive", byUid)).uidMap.size, 1);
  assert(await client.messageDelete(subjects.four, byUid));
}

async function main(port, user, pass, certificate) {
  const client = new ImapFlow({
    host: "127.0.0.1", port: Number(port), secure: true, auth: { user, pass }, logger: false,
    tls: { ca: fs.readFileSync(certificate), checkServerIdentity: () => undefined },
  });
  await client.connect();
  const mailboxes = await client.list({ statusQuery: { messages: true } });
  assert.strictEqual(mailboxes.find(({ path }) => path == "INBOX").status.messages, 4);
  assert.strictEqual(mailboxes.find(({ specialUse }) => specialUse == "\\Sent").path, "Sent");
  const lock = await client.getMailboxLock("INBOX");
  try {
    await workIn(client);
  } finally {
    lock.release();
  }
  await client.append("Sent", `From: ${user}\r\nSubject: sent by imapflow\r\n\r\nHello.\r\n`, ["\\Seen"]);
  await client.logout();
}

main(...process.argv.slice(2));
