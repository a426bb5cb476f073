package dashboard

// rowTime answers: how long does it take?
func rowTime() row {
	return row{title: "Time", panels: []Panel{
		quantiles("Wait for the first attempt",
			"From acceptance to the start of the first call, of the orders that were first sent just then. Long while the backlog is small: something stands in the way, see Pacing.",
			"orderq_order_wait_seconds"),
		heatmap("Wait for the first attempt, all orders",
			"How many orders waited how long. Two bands at one time: some orders were held up and others were not.",
			seconds, "orderq_order_wait_seconds"),
		graph("Age of the oldest order",
			"Of the orders that nobody has taken, and of all that are not finished, the oldest one's age. Only the second is high: one order fails again and again, find it with orderq list --state parked.",
			seconds,
			over(read("orderq_stream_oldest_waiting_age_seconds"), "{{queue}} waiting"),
			over(read("orderq_stream_oldest_age_seconds"), "{{queue}} unfinished")).norm(good, at(900, act)).
			runbook("OrderqWaitingTooLong", "OrderqUnfinishedTooLong"),
		quantiles("Acceptance to the end",
			"From acceptance to delivered or dead, of the orders that ended just then.",
			"orderq_order_end_to_end_seconds"),
		quantiles("Calls to the partner",
			"How long a call takes. Near api.timeout: calls end as uncertain; tell the partner. Longer than the pace's interval is fine: calls overlap up to queue.max_in_flight.",
			"orderq_attempt_duration_seconds"),
		quantiles("Storing in Redis",
			"How long Redis takes to store the orders of one request. Above 100 ms: Redis is slow or its disk is, see Redis.",
			"orderq_enqueue_duration_seconds"),
		graph("HTTP answers, p95",
			"How long the producer takes to answer, by endpoint: 95 of 100 requests are faster.",
			seconds,
			over(quantile("0.95", "queue, handler", "orderq_http_request_duration_seconds", work), "{{queue}} {{handler}}")),
	}}
}

// quantiles is a graph of how long most, nearly all and all but the slowest take.
// There are gaps where nothing happened.
func quantiles(title, description, name string) Panel {
	of := func(q, called string) Target { return over(quantile(q, "queue", name, work), "{{queue}} "+called) }
	return graph(title, description+" 50, 95 and 99 of 100 are faster than this, as exactly as the buckets of the histogram tell.", seconds,
		of("0.5", "p50"), of("0.95", "p95"), of("0.99", "p99"))
}
