// What with_thunderbird of tests/clients/work.py has Thunderbird do: read one, flag two, move three to Archive, delete four, send a message.
const [ports, user, password, certificate, friend, message, resolve] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { NetUtil } = ChromeUtils.importESModule("resource://gre/modules/NetUtil.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const HOST = "127.0.0.1";

async function until(what, value) {
  for (let i = 0; i < 400; i++) {
    const it = value();
    if (it) {
      return it;
    }
    await new Promise(done => setTimeout(done, 50));
  }
  throw new Error("not in time: " + what);
}

// Calls ask with a listener, and waits for its end; the data that the listener was given.
function asked(what, ask) {
  let data = "";
  const ending = new Promise((done, failed) => {
    const end = status => (Components.isSuccessCode(status) ? done(data) : failed(new Error(`${what}: ${status.toString(16)}`)));
    ask({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener", "nsIMsgSendListener", "nsIStreamListener"]),
      onStopCopy: end,
      onDataAvailable(request, stream, offset, count) { data += NetUtil.readInputStreamToString(stream, count); },
      onStopRequest(request, status) { end(status); },
      onStopSending(id, status) { Components.isSuccessCode(status) || end(status); }, // the copy comes afterwards
      onGetDraftFolderURI() {}, onProgress() {}, onStartCopy() {}, onStartRequest() {}, onStartSending() {}, onStatus() {}, setMessageKey() {},
    });
  });
  const tooLate = new Promise((done, failed) => setTimeout(() => failed(new Error("not in time: " + what)), 30000));
  return Promise.race([ending, tooLate]);
}

function setUpServer(server, port) {
  const cert = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).constructX509FromBase64(certificate);
  Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService).rememberValidityOverride(HOST, port, {}, cert, true);
  server.port = port;
  server.username = user;
  server.socketType = Ci.nsMsgSocketType.SSL;
  server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
  server.password = password; // without one in memory performExpand does nothing
}

function setUp() {
  const account = MailServices.accounts.createAccount(), identity = MailServices.accounts.createIdentity();
  const incoming = MailServices.accounts.createIncomingServer(user, HOST, "imap");
  setUpServer(incoming, ports.imaps);
  const outgoing = MailServices.outgoingServer.createServer("smtp").QueryInterface(Ci.nsISmtpServer);
  outgoing.hostname = HOST;
  setUpServer(outgoing, ports.submissions);
  identity.email = user;
  identity.smtpServerKey = outgoing.key;
  account.addIdentity(identity);
  account.incomingServer = incoming;
  return account;
}

async function send(account) {
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
  const sender = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
  const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
  fields.from = user;
  fields.to = friend;
  file.initWithPath(message);
  const { nsMsgDeliverNow } = Ci.nsIMsgSend;
  await asked("send", l => sender.sendMessageFile(account.defaultIdentity, account.key, fields, file, false, false, nsMsgDeliverNow, null, l, ""));
}

async function work() {
  const account = setUp(), root = account.incomingServer.rootFolder;
  account.incomingServer.performExpand(null);
  const folder = name => until(name, () => root.subFolders.find(({ URI }) => URI.endsWith("/" + name)));
  const inbox = await folder("INBOX"), archive = await folder("Archive");
  await folder("Sent");
  inbox.updateFolder(null);
  const find = subject => [...inbox.messages].find(header => header.subject == subject);
  await until("four messages", () => ["one", "two", "three", "four"].every(find));
  const uri = inbox.getUriForMsg(find("one"));
  const text = await asked("read", l => MailServices.messageServiceFromURI(uri).streamMessage(uri, l, null, null, false, "", false));
  if (!text.includes("Body of one")) {
    throw new Error("read: " + text);
  }
  inbox.markMessagesRead([find("one")], true);
  inbox.markMessagesFlagged([find("two")], true);
  await asked("move", l => MailServices.copy.copyMessages(inbox, [find("three")], archive, true, l, null, false));
  await asked("delete", l => inbox.deleteMessages([find("four")], null, false, false, l, false));
  await until("only two messages", () => !find("three") && !find("four"));
  await send(account);
}

work().then(() => resolve(""), error => resolve(`${error}\n${error.stack}`));
