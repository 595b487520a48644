// Package store keeps on disk what the broker must not forget: Sessions, Subscriptions, messages on their way, retained messages, Will Messages.
//
//	s, err := store.Open("/var/lib/mqttlab", store.Options{})
//	b, err := broker.New(broker.Config{Store: s})
//	...
//	b.Close(ctx)
//	s.Close()
//
// The mental model is a dictionary of records, see server.Record. The broker adds the records of many calls to a [Batch] and commits it: all
// of it is on disk, or nothing. [Store.Records] reads the dictionary at the next start. A message is there once, Sessions refer to it by
// number.
//
// # When the disk is full or a file is broken
//
// The Store never goes on without what it was given. A commit that fails, or less free space than [Options.MinimumFree], makes every further
// commit fail with the same error, and the broker disconnects its clients without having acknowledged anything that is not on disk. What was
// committed stays. Open, and the first reading of Records, which sees every byte, fail on a file that was changed by others; nothing is
// repaired or left out. A log that ends in the middle of a record is not broken: the process or the machine was stopped while it wrote what
// nobody was promised yet.
//
// # Design
//
// The engine is Pebble, chosen by BenchmarkEngines: 100,000 messages of 120 bytes with a reference each, put and removed again, one
// synchronous commit for each group, on two cores:
//
//	group   Pebble put/s   removed/s   CPU each   bbolt put/s   removed/s   CPU each
//	10            25,800      34,900    19.4 us        20,800      14,900    32.8 us
//	100          136,000     191,000     5.5 us        75,700      52,500     8.7 us
//	1000         210,000     533,000     3.7 us       284,000     294,000     3.8 us
//
// bbolt lost by speed at the groups that real load makes, and because its pages carry no checksums. SQLite was not in the race: it was last in
// CPU per message in an earlier one, and its pure Go port is the largest of the three. A log of our own would be faster still and lost because
// compaction, checksums and crash recovery of a well-kept engine have more years of testing than we have.
//
// Most messages are removed before Pebble writes its memory table to a file, so that they cost their part of the log and nothing else.
//
// There is no interface: the broker without a Store keeps everything in memory, and that needs no second implementation.
package store
