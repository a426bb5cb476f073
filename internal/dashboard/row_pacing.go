package dashboard

// rowPacing answers: why are we not faster, and are we ever too fast?
func rowPacing() row {
	return row{title: "Pacing", panels: []Panel{
		graph("Pace used",
			"Calls sent, as a share of what the pace allows. 100 % with a backlog is right. Above 105 % for minutes: we break what was agreed with the partner; stop all consumers but one and report it. Choosing single instances shows only their part.",
			share, over(sent()+" * on (queue) "+interval(), "{{queue}}")).norm(good, at(1.05, act)).runbook("OrderqPaceExceeded"),
		graph("Slots",
			"Permissions to start a call, each second. A lost one was granted, and no call could start in time: the machine or Redis is too slow. A few are normal.",
			each, over(perSecond("queue, result", "orderq_slots_total", work), "{{queue}} {{result}}")),
		graph("Interval of the pace",
			"The least time between the starts of two calls; 0 is unlimited. It changes with consumer.pace or orderq pace.",
			seconds, over(read("orderq_pace_interval_seconds"), "{{queue}}")),
		timeline("State of the queue",
			"Why nothing moved, as orderq status says it: green running, orange waits, red needs a person. A gap: nothing was scraped.",
			levels(), over(standing(), "{{queue}}: {{reason}}")).
			norm(good, at(levelWaits, watch), at(levelAct, act)).sized(12, 8),
		timeline("Consumers that do not send",
			"Why single consumers sent nothing, as far as they know themselves. All for one reason: look at the state of the queue. One alone: look at its log, and at its way to Redis.",
			map[string]Mapped{"1": {Color: watch, Text: "sends nothing"}},
			over("max by (queue, instance, reason) ("+selector("orderq_blocked", work)+") == 1", "{{queue}} {{instance}}: {{reason}}").
				maybe("no consumer is ever kept from sending")).
			norm(neutral, at(1, watch)).sized(12, 8),
	}}
}
