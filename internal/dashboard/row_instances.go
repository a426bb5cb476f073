package dashboard

// rowInstances answers: which processes run, and which one is different?
func rowInstances() row {
	by := func(name string) string { return "max by (job, instance) (" + selector(name, process) + ")" }
	p := panel(Table, "Instances",
		"Every producer and consumer that Prometheus knows. down: it does not answer; look at systemctl status there. Different versions: a deploy is under way, or was left half done. A young start that nobody knows of: it crashed.",
		"short", []Target{
			cell("max by (job, instance, version) (" + selector("orderq_build_info", process) + ")"),
			cell(reachable()),
			cell(perSecond("job, instance", "orderq_attempts_total", work)),
			cell(perSecond("job, instance", "orderq_http_requests_total", work)),
			cell(ours(by("process_resident_memory_bytes"))),
			cell(ours(by("process_start_time_seconds") + " * 1000")),
		})
	*p.Options = Options{ShowHeader: true, CellHeight: "sm"}
	p.Transformations = []Transformation{
		{ID: "merge", Options: map[string]any{}},
		{ID: "organize", Options: map[string]any{
			"excludeByName": map[string]any{"Time": true, "Value #A": true},
			"indexByName": map[string]any{
				"job": 0, "instance": 1, "Value #B": 2, "version": 3, "Value #C": 4, "Value #D": 5, "Value #E": 6, "Value #F": 7,
			},
			"renameByName": map[string]any{
				"job": "Job", "instance": "Instance", "version": "Version", "Value #B": "Up", "Value #C": "Calls sent",
				"Value #D": "HTTP requests", "Value #E": "Memory", "Value #F": "Started",
			},
		}},
	}
	unit := func(name string) Property { return Property{ID: "unit", Value: name} }
	p = p.column("Up", Property{ID: "mappings", Value: []Mapping{{Type: "value", Options: map[string]Mapped{
		"0": {Color: act, Index: 0, Text: "down"}, "1": {Color: good, Index: 1, Text: "up"},
	}}}}, Property{ID: "custom.cellOptions", Value: map[string]any{"type": "color-text"}}).
		column("Calls sent", unit(each)).
		column("HTTP requests", unit(each)).
		column("Memory", unit(size)).
		column("Started", unit(whenFrom))
	return row{title: "Instances", panels: []Panel{p.sized(24, 8)}}
}

// column changes the looks of one column of a table, by its name as shown.
func (p Panel) column(name string, properties ...Property) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides,
		Override{Matcher: Matcher{ID: "byName", Options: name}, Properties: properties})
	return p
}
