package dashboard

// FieldConfig says how values look.
type FieldConfig struct {
	Defaults  Defaults   `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Defaults hold for all values of a panel.
type Defaults struct {
	Unit       string      `json:"unit,omitempty"`
	Decimals   *int        `json:"decimals,omitempty"`
	Min        *float64    `json:"min,omitempty"`
	NoValue    string      `json:"noValue,omitempty"`
	Color      *Color      `json:"color,omitempty"`
	Mappings   []Mapping   `json:"mappings,omitempty"`
	Thresholds *Thresholds `json:"thresholds,omitempty"`
	Custom     *Custom     `json:"custom,omitempty"`
}

// Color is how a value gets its colour. The fields are in the order of their
// names, as in all that may stand in an [Override].
type Color struct {
	FixedColor string `json:"fixedColor,omitempty"`
	Mode       string `json:"mode"`
}

// Mapping shows some values as words.
type Mapping struct {
	Type    string            `json:"type"` // value
	Options map[string]Mapped `json:"options"`
}

// Mapped is what one value is shown as.
type Mapped struct {
	Color string `json:"color"`
	Index int    `json:"index"`
	Text  string `json:"text"`
}

// Thresholds give colours to ranges of values.
type Thresholds struct {
	Mode  string      `json:"mode"` // absolute
	Steps []Threshold `json:"steps"`
}

// Threshold is a colour and the least value that has it; nil for the lowest.
type Threshold struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Custom is what only some kinds of panels have.
type Custom struct {
	DrawStyle         string    `json:"drawStyle,omitempty"`
	LineInterpolation string    `json:"lineInterpolation,omitempty"`
	LineWidth         int       `json:"lineWidth,omitempty"`
	FillOpacity       int       `json:"fillOpacity"`
	ShowPoints        string    `json:"showPoints,omitempty"`
	SpanNulls         *bool     `json:"spanNulls,omitempty"`
	Stacking          *Stacking `json:"stacking,omitempty"`
	ThresholdsStyle   *Style    `json:"thresholdsStyle,omitempty"`
}

// Stacking puts series on top of each other.
type Stacking struct {
	Group string `json:"group"`
	Mode  string `json:"mode"` // normal
}

// Style is how thresholds are drawn into a graph.
type Style struct {
	Mode string `json:"mode"`
}

// Override changes the looks of one series or column.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher chooses series or columns.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is one thing that an override changes.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Options belong to the panel as a whole. Each kind has some of them.
type Options struct {
	// TimeSeries and StateTimeline.
	Legend  *Legend  `json:"legend,omitempty"`
	Tooltip *Tooltip `json:"tooltip,omitempty"`

	// Stat.
	ColorMode     string         `json:"colorMode,omitempty"`
	GraphMode     string         `json:"graphMode,omitempty"`
	JustifyMode   string         `json:"justifyMode,omitempty"`
	TextMode      string         `json:"textMode,omitempty"`
	Orientation   string         `json:"orientation,omitempty"`
	ReduceOptions *ReduceOptions `json:"reduceOptions,omitempty"`

	// StateTimeline.
	MergeValues *bool   `json:"mergeValues,omitempty"`
	ShowValue   string  `json:"showValue,omitempty"`
	RowHeight   float64 `json:"rowHeight,omitempty"`

	// Heatmap.
	Calculate    *bool         `json:"calculate,omitempty"`
	CellGap      int           `json:"cellGap,omitempty"`
	HeatmapColor *HeatmapColor `json:"color,omitempty"`
	RowsFrame    *RowsFrame    `json:"rowsFrame,omitempty"`
	YAxis        *Axis         `json:"yAxis,omitempty"`

	// Table.
	ShowHeader bool   `json:"showHeader,omitempty"`
	CellHeight string `json:"cellHeight,omitempty"`

	// Text.
	Mode    string `json:"mode,omitempty"`
	Content string `json:"content,omitempty"`
}

// Legend names the series of a graph.
type Legend struct {
	ShowLegend  bool     `json:"showLegend"`
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	Calcs       []string `json:"calcs"`
}

// Tooltip is what the mouse shows.
type Tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// ReduceOptions make one value of a series.
type ReduceOptions struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

// HeatmapColor is how a cell shows its number.
type HeatmapColor struct {
	Mode   string  `json:"mode"`
	Scheme string  `json:"scheme"`
	Scale  string  `json:"scale"`
	Steps  int     `json:"steps"`
	Exp    float64 `json:"exponent"`
}

// RowsFrame says what the buckets of a heatmap are.
type RowsFrame struct {
	Layout string `json:"layout"`
}

// Axis is an axis of a heatmap.
type Axis struct {
	AxisPlacement string `json:"axisPlacement"`
	Unit          string `json:"unit"`
	Reverse       bool   `json:"reverse"`
}
