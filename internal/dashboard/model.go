package dashboard

// Dashboard is Grafana's classic model, as far as we use it.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: the crosshair is shared by all panels
	Refresh       string      `json:"refresh"`
	Time          TimeRange   `json:"time"`
	Timezone      string      `json:"timezone"`
	Annotations   Annotations `json:"annotations"`
	Links         []Link      `json:"links"`
	Templating    Templating  `json:"templating"`
	Panels        []Panel     `json:"panels"`
}

// TimeRange is what is shown at first.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Annotations are the marks across all graphs.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation marks the times at which its query gives a value.
type Annotation struct {
	Name        string     `json:"name"`
	Datasource  Datasource `json:"datasource"`
	Enable      bool       `json:"enable"`
	IconColor   string     `json:"iconColor"`
	Expr        string     `json:"expr"`
	Step        string     `json:"step"`
	TitleFormat string     `json:"titleFormat"`
	TextFormat  string     `json:"textFormat"`
	TagKeys     string     `json:"tagKeys"`
}

// Link is shown at the top of the dashboard.
type Link struct {
	Title       string   `json:"title"`
	URL         string   `json:"url"`
	Type        string   `json:"type"` // link
	Icon        string   `json:"icon"`
	Tags        []string `json:"tags"`
	TargetBlank bool     `json:"targetBlank"`
}

// PanelLink is in the corner of a panel.
type PanelLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}

// Templating holds the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a choice at the top of the dashboard, or a hidden constant.
type Variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"` // datasource, query or constant
	Datasource *Datasource `json:"datasource,omitempty"`
	Definition string      `json:"definition,omitempty"`
	Query      any         `json:"query"` // a string, or a VariableQuery
	Refresh    int         `json:"refresh,omitempty"`
	Sort       int         `json:"sort,omitempty"`
	Multi      bool        `json:"multi,omitempty"`
	IncludeAll bool        `json:"includeAll,omitempty"`
	AllValue   string      `json:"allValue,omitempty"`
	Current    *Current    `json:"current,omitempty"`
	Hide       int         `json:"hide"`
}

// VariableQuery is how a variable asks Prometheus.
type VariableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

// Current is what is chosen at first.
type Current struct {
	Text  []string `json:"text"`
	Value []string `json:"value"`
}

// Datasource names where a query goes.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// GridPos is a place on the grid of 24 columns.
type GridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Panel is one picture, or the heading of a row.
type Panel struct {
	ID              int              `json:"id"`
	Type            Kind             `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	Links           []PanelLink      `json:"links,omitempty"`
	GridPos         GridPos          `json:"gridPos"`
	Datasource      *Datasource      `json:"datasource,omitempty"`
	Targets         []Target         `json:"targets,omitempty"`
	FieldConfig     *FieldConfig     `json:"fieldConfig,omitempty"`
	Options         *Options         `json:"options,omitempty"`
	Transformations []Transformation `json:"transformations,omitempty"`
	// Collapsed and Panels are a row's: a collapsed one holds its own panels.
	Collapsed *bool   `json:"collapsed,omitempty"`
	Panels    []Panel `json:"panels,omitempty"`
}

// Kind is how a panel shows its data.
type Kind string

// The kinds of panels that we use.
const (
	Row           Kind = "row"
	Stat          Kind = "stat"
	TimeSeries    Kind = "timeseries"
	Heatmap       Kind = "heatmap"
	StateTimeline Kind = "state-timeline"
	Table         Kind = "table"
	Text          Kind = "text"
)

// Target is one query of a panel.
type Target struct {
	RefID        string `json:"refId"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat,omitempty"`
	Format       string `json:"format"` // time_series, table or heatmap
	Instant      bool   `json:"instant"`
	Range        bool   `json:"range"`

	// MayBeEmpty is why the query may rightly find nothing in a run in which
	// everything happened. It is for our tests, and for readers of the layout.
	MayBeEmpty string `json:"-"`
}

// Transformation changes what the queries gave before it is shown.
type Transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}
