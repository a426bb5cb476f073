// Package campaign puts the real program through what it promises to survive:
// processes killed and frozen at random, a partner on its worst days, a Redis
// that dies, fails over or whose clock jumps, hands in its keys, several
// consumers that must share one pace. A [Plan] says which fault comes when, from
// a seed; [Check] judges what is left at the end.
//
// The tests build orderq, run it as separate processes against a real
// redis-server and a simulated partner, and read these variables:
//
//	ORDERQ_TEST_SEED           the plan's seed; a failed test prints its own
//	ORDERQ_TEST_REPORT         a file that measured figures are appended to
//	ORDERQ_TEST_PACE_SECONDS   how long the pace is watched; default 20
//	ORDERQ_TEST_KILLS          how often a failover test kills the master; default 1
//	ORDERQ_TEST_OUTAGE_SECONDS how long the partner is away; default a few
//	ORDERQ_TEST_IMPORT         how many items the import tests move; default 5000
//	ORDERQ_TEST_WALL_CLOCK     anything: move the program's own clock, too; the
//	                           program is built anew for it, in a minute or two
//
// Tests that measure time stand behind the build tag "timed". They must run
// alone and without the race detector:
//
//	go test -tags timed -run Timed -p 1 ./internal/campaign
package campaign
