package dashboard

// rowRecovery answers: is anything stuck?
func rowRecovery() row {
	return row{title: "Recovery", panels: []Panel{
		graph("In flight",
			"Orders at the partner now, over all consumers. Never above queue.max_in_flight.",
			"short", over(read("orderq_stream_in_flight"), "{{queue}}")),
		graph("Oldest in flight, and the lease",
			"How long the oldest order in flight has been with its consumer; dashed, the lease after which a dead consumer's orders are taken back. Far above the lease: recovery does not work; look at orderq pending and orderq consumers.",
			seconds,
			over(read("orderq_stream_oldest_in_flight_age_seconds"), "{{queue}} oldest in flight"),
			over(read("orderq_stream_lease_seconds"), "{{queue}} lease")).bound("/ lease$/").runbook("OrderqInFlightStuck"),
		graph("Taken back",
			"Orders taken back from consumers that died. They are sent again, with the same Idempotency-Key. Often: consumers are killed; look at their memory and at systemctl status orderq-consumer.",
			"short", over(rise("queue", "orderq_reclaimed_total", work, "$__rate_interval"), "{{queue}}")).runbook("OrderqConsumersDying"),
		graph("Parked",
			"Orders that wait for their next attempt, with growing delays. It rises while the partner is in trouble and falls by itself.",
			"short", over(read("orderq_stream_parked"), "{{queue}}")),
		graph("Overdue",
			"How late the most overdue parked order is. A little, while other orders go first or the queue is held, is normal. Minutes, with the state running: it is stuck; orderq list --state parked.",
			seconds, over(read("orderq_stream_overdue_seconds"), "{{queue}}")).norm(good, at(60, watch), at(600, act)).runbook("OrderqStalled"),
		graph("Dead letters over time",
			"Orders set aside for a person. It falls only when somebody decides: orderq dead requeue or orderq dead drop.",
			"short", over(read("orderq_stream_dead"), "{{queue}}")).norm(good, at(1, watch)),
	}}
}
