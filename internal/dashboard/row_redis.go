package dashboard

// rowRedis answers: will Redis keep what it was given?
func rowRedis() row {
	return row{title: "Redis", panels: []Panel{
		graph("Memory of Redis",
			"What Redis uses, of all its data; dashed, the most it may use (0: no bound). Near the bound new orders are refused: deliver or purge the backlog, or raise maxmemory.",
			size,
			over(read("orderq_redis_memory_bytes"), "{{queue}} used"),
			over(read("orderq_redis_memory_max_bytes"), "{{queue}} bound")).bound("/ bound$/").sized(12, 8),
		timeline("Redis is not safe",
			"As it is set now, Redis can lose accepted orders, or will soon refuse them. eviction: it may delete keys, set maxmemory-policy noeviction. persistence: it writes nothing to disk. write_errors: the last write to disk failed, is the disk full? memory: over 90 % of maxmemory. More: orderq doctor.",
			map[string]Mapped{"1": {Color: act, Text: "not safe"}},
			over(readBy("queue, reason", "orderq_redis_unsafe")+" == 1", "{{queue}}: {{reason}}").maybe("Redis is set up safely")).
			norm(neutral, at(1, act)).sized(12, 8).runbook("OrderqRedisUnsafe"),
		graph("Errors of Redis, by kind",
			"Calls to Redis that failed, each second. connection and timeout: Redis or the network is away. oom: its memory is full. readonly: we talk to a replica. auth: user or password is wrong.",
			each, over(perSecond("kind", "orderq_redis_errors_total", process)+" > 0", "{{kind}}")).sized(12, 8).runbook("OrderqRedisUnusable"),
		graph("Time to read the queue",
			"How long the slowest process took to read the figures of this dashboard from Redis. From 1 s on it gives up, and the figures are gone.",
			seconds,
			over(read("orderq_stream_scrape_duration_seconds"), "{{queue}}")).norm(good, at(1, act)).sized(12, 8),
	}}
}
