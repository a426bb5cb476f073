// Package redistest gives tests a real redis-server of their own, on a free
// port of the loopback interface, and takes it away again however the test ends.
//
// [Start] is for tests that kill, freeze or configure their server; [Shared] is
// one server for all other tests of a package, kept apart by [QueueName].
// [StartReplicated] is a master with replicas and Sentinels, [StartCluster] a
// cluster, and [StartWithClock] a server whose wall clock a test moves.
//
// A machine without redis-server fails the test, with the command that
// installs it; nothing is skipped in silence. ORDERQ_TEST_REDIS_SERVER names
// another binary, such as a newer Redis or Valkey.
package redistest
