package dashboard

// rowErrors answers: is the partner well, and are the shops?
func rowErrors() row {
	return row{title: "Errors", panels: []Panel{
		stacked("Attempts, by outcome",
			"What the partner's answers meant. failed, unavailable, uncertain: the partner is in trouble, orders are tried again. throttled: it asks for a slower pace. rejected: it refuses the order, which becomes a dead letter. unauthorized: it refuses our credentials, and the queue pauses itself.",
			each, over(perSecond("queue, outcome", "orderq_attempts_total", work), "{{queue}} {{outcome}}")).
			colored("delivered", good).colored("rejected", act).sized(12, 8),
		stacked("Not accepted, by reason",
			"Orders that the producer refused. malformed, validation, too_large, media_type, conflict, unauthorized, forbidden: the shop's mistake, tell its developers. full, memory, redis_unavailable, not_confirmed, overloaded, internal: ours.",
			each, over(perSecond("queue, reason", "orderq_enqueue_rejected_total", work)+" > 0", "{{queue}} {{reason}}")).
			sized(12, 8).runbook("OrderqEnqueueFailing"),
		graph("HTTP answers, by class",
			"Answers of the producer each second. 5xx: shops must try again, see the reasons beside.",
			each, over(perSecond("queue, code", "orderq_http_requests_total", work), "{{queue}} {{code}}")).
			colored("2xx", good).colored("4xx", watch).colored("5xx", act),
		graph("Orders finished, by state",
			"Orders that reached a final state each second. dead: a person must decide, see Recovery.",
			each, over(perSecond("queue, state", "orderq_orders_finished_total", work), "{{queue}} {{state}}")).
			colored("delivered", good).colored("dead", act),
		graph("Offered again",
			"Orders each second that were accepted before, and got the first answer again. Many: shops do not get our answers in time, or send twice.",
			each, over(perSecond("queue", "orderq_enqueue_duplicates_total", work), "{{queue}} duplicates")),
		graph("Warnings and errors logged",
			"Lines in the log each second. What they say: journalctl -u 'orderq-*' -p warning.",
			each, over(perSecond("instance, level", "orderq_log_messages_total", process, `level=~"warn|error"`), "{{instance}} {{level}}")).
			colored("warn", watch).colored("error", act).sized(24, 6),
	}}
}
