package dashboard

// rowProcess is for those who look for a leak. It is closed at first.
func rowProcess() row {
	of := func(name string) string { return ours("max by (job, instance) (" + selector(name, process) + ")") }
	rate := func(name string) string { return ours(perSecond("job, instance", name, process)) }
	const legend = "{{job}} {{instance}}"
	return row{title: "Process", collapsed: true, panels: []Panel{
		graph("CPU", "Cores used. All cores of the machine: calls start late and slots are lost.",
			"short", over(rate("process_cpu_seconds_total"), legend)),
		graph("Memory", "Resident memory. It does not depend on the backlog: if it grows for hours, take a heap profile from /debug/pprof of the admin listener.",
			size, over(of("process_resident_memory_bytes"), legend)),
		graph("Goroutines", "Concurrent tasks inside the process. If they grow for hours, take a goroutine profile from /debug/pprof of the admin listener.",
			"short", over(of("go_goroutines"), legend)),
		graph("Garbage collection", "Share of the time in which the process stood still to clean up its memory. Above 1 %: it has too little memory.",
			share, over(rate("go_gc_duration_seconds_sum"), legend)).norm(good, at(0.01, watch)),
		graph("Open files", "Files and connections, and dashed the most there may be. Near it connections fail: raise LimitNOFILE of the unit.",
			"short",
			over(of("process_open_fds"), legend+" open"),
			over(of("process_max_fds"), legend+" bound")).bound("/ bound$/"),
	}}
}
