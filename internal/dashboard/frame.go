package dashboard

// frame is the dashboard without its panels.
func frame() Dashboard {
	return Dashboard{
		UID: "orderq", Title: "orderq", Tags: []string{"orderq"},
		Description: "Are we keeping up, is anything stuck, is the partner well, when are we through?",
		// What Grafana 10.0 writes; later versions bring it up to date when they load it.
		SchemaVersion: 38,
		GraphTooltip:  1,
		Refresh:       "30s",
		Time:          TimeRange{From: "now-3h", To: "now"},
		Timezone:      "browser",
		Annotations:   Annotations{List: []Annotation{starts(), alerts()}},
		Links: []Link{
			link("Runbooks", "${runbooks}"),
		},
		Templating: Templating{List: variables()},
	}
}

// starts marks when a process began with a version, or came back after more than
// five minutes. orderq_build_info is always 1: what changes is its labels.
func starts() Annotation {
	info := selector("orderq_build_info", process)
	return Annotation{
		Name: "Deploys", Datasource: *from(), Enable: true, IconColor: "blue", Step: "30s",
		Expr: "count by (job, version) (" + info + " unless on (job, instance, version) " + info + " offset 5m)",
		// The mark lasts as long as the offset.
		TitleFormat: "{{version}} started", TextFormat: "{{job}}", TagKeys: "version",
	}
}

// alerts marks when an alert fires. Prometheus writes ALERTS with the labels of the
// alert: most have a queue and none has a job; one for what is absent has neither.
func alerts() Annotation {
	return Annotation{
		Name: "Alerts", Datasource: *from(), Enable: true, IconColor: "red", Step: "30s",
		Expr:        `ALERTS{alertname=~"Orderq.+", alertstate="firing", queue=~"$queue|"}`,
		TitleFormat: "{{alertname}}", TextFormat: "{{severity}}, queue {{queue}}", TagKeys: "severity",
	}
}

func link(title, url string) Link {
	return Link{Title: title, URL: url, Type: "link", Icon: "doc", Tags: []string{}, TargetBlank: true}
}

func variables() []Variable {
	return []Variable{
		{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus"},
		choice("job", "Job", "label_values(orderq_build_info, job)"),
		choice("instance", "Instance", `label_values(orderq_build_info{job=~"$job"}, instance)`),
		choice("queue", "Queue", `label_values(orderq_stream_scrape_success{job=~"$job"}, queue)`),
		constant("runbooks", "Address of the runbooks", "https://example.com/orderq/runbooks"),
	}
}

// choice is a variable with the values that Prometheus knows, all of them at
// first, asked again whenever the time that is shown changes.
func choice(name, label, query string) Variable {
	return Variable{
		Name: name, Label: label, Type: "query", Datasource: from(),
		Definition: query, Query: VariableQuery{Query: query, RefID: name},
		Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".+",
		Current: &Current{Text: []string{"All"}, Value: []string{"$__all"}},
	}
}

// constant is a value that whoever installs the dashboard may change. Nobody has
// to see it.
func constant(name, label, value string) Variable {
	return Variable{Name: name, Label: label, Type: "constant", Query: value, Hide: 2}
}
