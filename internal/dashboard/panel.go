package dashboard

// Units, as Grafana names them.
const (
	seconds  = "s"
	each     = "suffix:/s" // orders, calls or requests each second
	whole    = "locale"    // a count, written out: 1,234,567
	share    = "percentunit"
	size     = "bytes"
	noUnit   = "none"
	whenFrom = "dateTimeFromNow"
)

// Colours that mean something.
const (
	good    = "green"
	watch   = "orange"
	act     = "red"
	neutral = "blue" // there is no norm
	faint   = "text" // what was agreed, not measured
)

// from is the datasource that the reader has chosen.
func from() *Datasource { return &Datasource{Type: "prometheus", UID: "${datasource}"} }

// panel is what all kinds have. The description says what the panel tells, and
// what to do about it.
func panel(kind Kind, title, description, unit string, targets []Target) Panel {
	for i := range targets {
		targets[i].RefID = string(rune('A' + i))
	}
	return Panel{
		Type: kind, Title: title, Description: description, Datasource: from(), Targets: targets,
		GridPos:     GridPos{W: 8, H: 8},
		FieldConfig: &FieldConfig{Defaults: Defaults{Unit: unit}, Overrides: []Override{}},
		Options:     &Options{},
	}
}

// over is a query over the time that is shown.
func over(expr, legend string) Target {
	return Target{Expr: expr, LegendFormat: legend, Format: "time_series", Range: true}
}

// now is a query at the end of it. All big numbers are such: the last value of a
// range could be an old one, and would look like the present.
func now(expr, legend string) Target {
	return Target{Expr: expr, LegendFormat: legend, Format: "time_series", Instant: true}
}

// cell is a query for a column of a table.
func cell(expr string) Target { return Target{Expr: expr, Format: "table", Instant: true} }

// maybe marks a query that may find nothing, and says why.
func (t Target) maybe(why string) Target {
	t.MayBeEmpty = why
	return t
}

// stat is a big number. None is what it says without a value.
func stat(title, description, unit, none string, targets ...Target) Panel {
	p := panel(Stat, title, description, unit, targets)
	p.GridPos = GridPos{W: 6, H: 4}
	p.FieldConfig.Defaults.NoValue = none
	*p.Options = Options{
		ColorMode: "background", GraphMode: "none", JustifyMode: "center", TextMode: "value_and_name", Orientation: "auto",
		ReduceOptions: &ReduceOptions{Calcs: []string{"lastNotNull"}},
	}
	return p.norm(neutral)
}

// graph is lines over time.
func graph(title, description, unit string, targets ...Target) Panel {
	p := panel(TimeSeries, title, description, unit, targets)
	p.FieldConfig.Defaults.Min = new(0.0)
	p.FieldConfig.Defaults.Color = &Color{Mode: "palette-classic"}
	p.FieldConfig.Defaults.Custom = &Custom{
		DrawStyle: "line", LineInterpolation: "linear", LineWidth: 1, FillOpacity: 5, ShowPoints: "auto", SpanNulls: new(false),
	}
	p.Options.Legend = &Legend{ShowLegend: true, DisplayMode: "list", Placement: "bottom", Calcs: []string{}}
	p.Options.Tooltip = &Tooltip{Mode: "multi", Sort: "desc"}
	return p
}

// stacked is a graph whose series add up to something.
func stacked(title, description, unit string, targets ...Target) Panel {
	p := graph(title, description, unit, targets...)
	p.FieldConfig.Defaults.Custom.FillOpacity = 40
	p.FieldConfig.Defaults.Custom.Stacking = &Stacking{Group: "A", Mode: "normal"}
	return p
}

// heatmap shows how many were how long, from the buckets of a histogram.
func heatmap(title, description, unit, name string) Panel {
	t := over(rise("le", name+"_bucket", work, "$__rate_interval"), "{{le}}")
	t.Format = "heatmap"
	p := panel(Heatmap, title, description, "", []Target{t})
	*p.Options = Options{
		Calculate: new(false), CellGap: 1,
		HeatmapColor: &HeatmapColor{Mode: "scheme", Scheme: "Oranges", Scale: "exponential", Steps: 64, Exp: 0.5},
		RowsFrame:    &RowsFrame{Layout: "auto"},
		YAxis:        &Axis{AxisPlacement: "left", Unit: unit},
		Legend:       &Legend{DisplayMode: "list", Placement: "bottom", Calcs: []string{}},
		Tooltip:      &Tooltip{Mode: "single", Sort: "none"},
	}
	return p
}

// timeline shows states over time, a line each.
func timeline(title, description string, words map[string]Mapped, targets ...Target) Panel {
	p := panel(StateTimeline, title, description, noUnit, targets)
	p.FieldConfig.Defaults.Color = &Color{Mode: "thresholds"}
	p.FieldConfig.Defaults.Mappings = []Mapping{{Type: "value", Options: words}}
	p.FieldConfig.Defaults.Custom = &Custom{FillOpacity: 80}
	*p.Options = Options{
		MergeValues: new(true), ShowValue: "never", RowHeight: 0.9,
		Legend:  &Legend{DisplayMode: "list", Placement: "bottom", Calcs: []string{}},
		Tooltip: &Tooltip{Mode: "single", Sort: "none"},
	}
	return p.norm(neutral)
}

// text is a note for the reader, in Markdown.
func text(content string) Panel {
	return Panel{Type: Text, GridPos: GridPos{W: 24, H: 3}, Options: &Options{Mode: "markdown", Content: content}}
}

// sized gives a panel its width, of 24 columns, and its height.
func (p Panel) sized(w, h int) Panel {
	p.GridPos.W, p.GridPos.H = w, h
	return p
}

// runbook links to what to do when one of these alerts fires.
func (p Panel) runbook(alerts ...string) Panel {
	for _, alert := range alerts {
		p.Links = append(p.Links, PanelLink{Title: "Runbook " + alert, URL: "${runbooks}/" + alert + ".md", TargetBlank: true})
	}
	return p
}

// norm sets the colours of values: the lowest, and from which value on another.
func (p Panel) norm(lowest string, from ...Threshold) Panel {
	steps := append([]Threshold{{Color: lowest}}, from...)
	p.FieldConfig.Defaults.Thresholds = &Thresholds{Mode: "absolute", Steps: steps}
	if p.Type == TimeSeries {
		p.FieldConfig.Defaults.Custom.ThresholdsStyle = &Style{Mode: "line"}
	}
	return p
}

// at is the colour of values from v on.
func at(v float64, color string) Threshold { return Threshold{Color: color, Value: &v} }

// called changes the looks of the series whose name matches.
func (p Panel) called(pattern string, properties ...Property) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides,
		Override{Matcher: Matcher{ID: "byRegexp", Options: pattern}, Properties: properties})
	return p
}

// bound draws the series whose name matches as a dashed line: it is a bound, or
// what was agreed, not something that was measured.
func (p Panel) bound(pattern string) Panel {
	return p.called(pattern,
		Property{ID: "custom.lineStyle", Value: map[string]any{"dash": []int{8, 8}, "fill": "dash"}},
		Property{ID: "custom.fillOpacity", Value: 0},
		Property{ID: "color", Value: Color{FixedColor: faint, Mode: "fixed"}})
}

// colored gives series whose names end like this a colour that means something.
func (p Panel) colored(end, color string) Panel {
	return p.called("/ "+end+"$/", Property{ID: "color", Value: Color{FixedColor: color, Mode: "fixed"}})
}
