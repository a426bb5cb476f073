package dashboard

// rowFlow answers: are we keeping up?
func rowFlow() row {
	return row{title: "Flow", panels: []Panel{
		graph("Orders in and out",
			"Each second: orders offered by shops, new ones accepted, calls sent to the partner, orders delivered; dashed, what the pace allows. Accepted above delivered: the backlog grows. Sent above delivered: attempts fail, see Errors.",
			each,
			over(perSecond("queue", "orderq_enqueue_orders_total", work), "{{queue}} offered"),
			over(accepted(), "{{queue}} accepted"),
			over(sent(), "{{queue}} sent"),
			over(perSecond("queue", "orderq_orders_finished_total", work, `state="delivered"`), "{{queue}} delivered"),
			over(allowed(), "{{queue}} allowed")).bound("/ allowed$/").sized(12, 8),
		stacked("Backlog by state",
			"Orders not finished: waiting (nobody has taken them), in flight (at the partner now), parked (they wait for their next attempt). Many parked ones: the partner refuses or is away, see Errors.",
			"short",
			over(read("orderq_stream_lag"), "{{queue}} waiting"),
			over(read("orderq_stream_in_flight"), "{{queue}} in flight"),
			over(read("orderq_stream_parked"), "{{queue}} parked")).sized(12, 8),
		graph("Offered, by source",
			"Orders offered each second, one by one or in batches, good or bad. Nothing although shops sell: they cannot reach the producer.",
			each, over(perSecond("queue, source", "orderq_enqueue_orders_total", work), "{{queue}} {{source}}")),
		graph("HTTP requests",
			"Requests to the producer each second, by endpoint.",
			each, over(perSecond("queue, handler", "orderq_http_requests_total", work), "{{queue}} {{handler}}")),
		graph("HTTP requests in progress",
			"Requests that are being answered, of each producer. Near producer.max_requests (512 by default) new ones are refused with 503: look at the enqueue time, or start another producer.",
			"short", over("sum by (instance, queue) ("+selector("orderq_http_requests_in_flight", work)+")", "{{queue}} {{instance}}")),
	}}
}
