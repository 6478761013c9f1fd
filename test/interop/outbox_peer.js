// SPDX-License-Identifier: Apache-2.0
// Another outbox beside ours (bench/outbox_peer_bench.c): pg-transactional-outbox publishing to JetStream with the official client,
// one PubAck for each message, which is how the library hands messages out.
//
//   node outbox_peer.js setup poll|wal DATABASE_URL             makes its table, and for wal publication and slot
//   node outbox_peer.js run   poll|wal DATABASE_URL NATS_URL SUBJECT   publishes what is committed, until it is ended
//
// Its settings are the fast ones: large batches and a short interval for polling. Following the log it handles one message after the
// other, its default, which keeps the order; polling keeps none, because that needs a message at a time.
'use strict';
const outbox = require('pg-transactional-outbox');
const {Client} = require('pg');
const {connect} = require('@nats-io/transport-node');
const {jetstream} = require('@nats-io/jetstream');

const [, , what, mode, databaseUrl, natsUrl, subject] = process.argv;
const url = new URL(databaseUrl);
const database = {host: url.hostname, port: Number(url.port), user: url.username, database: url.pathname.slice(1), max: 20};
const names = {publication: 'peer_publication', replicationSlot: `peer_${database.database}`, nextMessagesName: 'next_outbox_messages'};

async function setup() {
  const {DatabaseSetup} = outbox;
  const config = {outboxOrInbox: 'outbox', database: database.database, schema: 'public', table: 'outbox', listenerRole: database.user, ...names};
  const steps = mode === 'wal' ? [DatabaseSetup.dropAndCreateTable, DatabaseSetup.setupReplicationCore, DatabaseSetup.setupReplicationSlot]
                               : [DatabaseSetup.dropAndCreateTable, DatabaseSetup.createPollingFunction, DatabaseSetup.setupPollingIndexes];
  const client = new Client(database);
  await client.connect();
  for (const step of steps)
    for (const statement of step === DatabaseSetup.createPollingFunction ? [step(config)] : step(config).split(';'))
      await client.query(statement);
  await client.end();
}

async function run() {
  const js = jetstream(await connect({servers: natsUrl}));
  const handler = {handle: async (message) => { await js.publish(subject, JSON.stringify(message.payload), {msgID: message.id}); }};
  const settings = {dbSchema: 'public', dbTable: 'outbox', enableMaxAttemptsProtection: false, enablePoisonousMessageProtection: false};
  const logger = {...outbox.getDisabledLogger(), error: console.error, fatal: console.error};
  const config = {outboxOrInbox: 'outbox', dbListenerConfig: database};
  if (mode === 'wal')
    outbox.initializeReplicationMessageListener(
      {...config, settings: {...settings, dbPublication: names.publication, dbReplicationSlot: names.replicationSlot}}, handler, logger);
  else
    outbox.initializePollingMessageListener(
      {...config, settings: {...settings, nextMessagesFunctionName: names.nextMessagesName, nextMessagesBatchSize: 100, nextMessagesPollingIntervalInMs: 20}}, handler, logger,
      {batchSizeStrategy: async () => 100});
  console.log('ready');
}

(what === 'setup' ? setup() : run()).catch((error) => { console.error(error); process.exit(1); });
