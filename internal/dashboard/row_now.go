package dashboard

import "strconv"

// rowNow is for whoever was woken: the state first, then what it means.
func rowNow() row {
	return row{title: "Now", panels: []Panel{
		stateStat(),
		stat("Oldest waiting order",
			"How long the oldest order has waited that nobody has taken yet. Orange from 5 minutes, red from 15. If the state is running, only the pace makes orders wait: look at the drain time.",
			seconds, unknown, now(read("orderq_stream_oldest_waiting_age_seconds"), "{{queue}}")).
			norm(good, at(300, watch), at(900, act)).runbook("OrderqWaitingTooLong"),
		stat("Backlog",
			"Orders that were accepted and are not finished: waiting, in flight and parked. What it means depends on the pace: the drain time says it.",
			whole, unknown, now(read("orderq_stream_length"), "{{queue}}")),
		stat("Drain time",
			"How long the backlog takes at the pace in force, from the moment that sending goes on. Orange from 30 minutes, red from 2 hours. If it grows while the state is running, more orders come in than the partner takes: ask for a faster pace. No value: no consumer runs, or the pace is unlimited.",
			seconds, "no estimate", now(drain(), "{{queue}}")).
			norm(good, at(1800, watch), at(7200, act)).runbook("OrderqDrainTimeHigh"),
		stat("Sent, and allowed",
			"Calls to the partner each second, and how many the pace allows. With a backlog and the state running, both should be equal. No allowed: no consumer runs, or the pace is unlimited.",
			each, "nothing sent", now(sent(), "{{queue}} sent"), now(allowed(), "{{queue}} allowed")),
		stat("Dead share, 1 h",
			"Of the orders that ended in the last hour, the share that became dead letters. Orange from 1 %; red from 14.4 %, where an alert wakes somebody. See why: orderq dead list --group-by error.",
			share, "none ended", now(deadShare("1h"), "{{queue}}")).
			norm(good, at(0.01, watch), at(0.144, act)).runbook("OrderqFailingFast", "OrderqFailingSlow"),
		stat("Dead letters",
			"Orders set aside for a person, whenever that was. Each one waits for a decision: orderq dead list, then orderq dead requeue or orderq dead drop.",
			whole, unknown, now(read("orderq_stream_dead"), "{{queue}}")).
			norm(good, at(1, watch), at(100, act)).runbook("OrderqDeadLetters"),
		stat("Live consumers",
			"Consumer processes whose heartbeat is fresh, over all machines. Red at 0: nothing is sent. Start one: systemctl start orderq-consumer.",
			whole, unknown, now(read("orderq_consumers"), "{{queue}}")).
			norm(act, at(1, good)).runbook("OrderqNoConsumer"),
		text("**Green state:** nothing is in the way. **Orange:** sending waits and goes on by itself, or a person paused it. **Red:** somebody must act. " +
			"Accepted orders are kept in every state. First command: `orderq status`; for one order: `orderq show ID`. What to do about an alert: [runbooks](${runbooks})."),
	}}
}

// unknown is what a big number says when Redis cannot be read or nothing is scraped.
const unknown = "unknown"

// stateStat shows the names of the reasons, coloured by what they ask for.
func stateStat() Panel {
	p := stat("State",
		"Why nothing moves, as orderq status says it, or running. "+
			"Red needs a person: no_consumer (start one), credentials (mend the token file, then orderq resume), redis, replicas and memory (mend Redis). "+
			"Orange goes on by itself: hold and breaker (the partner is away or asked for a wait), parked, recovery, epoch, max_in_flight; paused ends with orderq resume.",
		noUnit, "nothing is scraped", now(standing(), "{{queue}}: {{reason}}"))
	p.Options.TextMode = "name"
	return p.norm(good, at(levelWaits, watch), at(levelAct, act)).
		runbook("OrderqStalled", "OrderqBlind", "OrderqCredentialsRefused", "OrderqBreakerOpen", "OrderqHeldTooLong", "OrderqPausedTooLong")
}

// levels are the words for the values of standing.
func levels() map[string]Mapped {
	return map[string]Mapped{
		strconv.Itoa(levelRunning): {Color: good, Index: 0, Text: "running"},
		strconv.Itoa(levelWaits):   {Color: watch, Index: 1, Text: "waits"},
		strconv.Itoa(levelAct):     {Color: act, Index: 2, Text: "needs a person"},
	}
}
