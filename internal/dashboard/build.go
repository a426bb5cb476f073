package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// columns is the width of Grafana's grid.
const columns = 24

// row is a heading with the panels below it, in reading order. On a phone they
// stand in this order below each other.
type row struct {
	title     string
	collapsed bool
	panels    []Panel
}

// Build gives the whole dashboard.
func Build() Dashboard {
	d := frame()
	d.Panels = place([]row{
		rowNow(), rowFlow(), rowTime(), rowErrors(), rowPacing(), rowRecovery(), rowInstances(), rowRedis(), rowProcess(),
	})
	return d
}

// JSON is the dashboard as Grafana reads it.
func JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(Build()); err != nil {
		return nil, fmt.Errorf("encode the dashboard: %w", err)
	}
	return b.Bytes(), nil
}

// place gives every panel its id and its place. The ids of a row begin at a
// hundred of their own, so that a new panel does not change those of other rows:
// people keep links to panels.
func place(rows []row) []Panel {
	var all []Panel
	y := 0
	for i, r := range rows {
		id := (i + 1) * 100
		heading := Panel{
			ID: id, Type: Row, Title: r.title, GridPos: GridPos{Y: y, W: columns, H: 1}, Collapsed: new(r.collapsed),
		}
		below := flow(r.panels, id+1, y+1)
		y++
		if r.collapsed {
			heading.Panels = below
			all = append(all, heading)
			continue
		}
		all = append(append(all, heading), below...)
		for _, p := range below {
			y = max(y, p.GridPos.Y+p.GridPos.H)
		}
	}
	return all
}

// flow puts panels from left to right, and begins a new line where one is full.
func flow(panels []Panel, id, y int) []Panel {
	x, height := 0, 0
	for i := range panels {
		at := &panels[i].GridPos
		if x+at.W > columns {
			x, y, height = 0, y+height, 0
		}
		at.X, at.Y = x, y
		x, height = x+at.W, max(height, at.H)
		panels[i].ID = id + i
	}
	return panels
}
