package ops

import (
	"fmt"
	"slices"
	"strings"
)

// findingRow is what doctor -o json shows; scripts rely on its keys.
type findingRow struct {
	Check  string  `json:"check"`
	Result Verdict `json:"result"`
	Detail string  `json:"detail"`
	Mend   *string `json:"mend"`
}

// findings shows them: in a table with what mends each on a line of its own.
func (v view) findings(found []Finding) error {
	if v.format != "table" {
		list := make([]findingRow, 0, len(found))
		for _, f := range found {
			row := findingRow{Check: f.Check, Result: f.Result, Detail: f.Detail}
			if f.Mend != "" {
				row.Mend = &f.Mend
			}
			list = append(list, row)
		}
		return rows(v, list, nil, nil)
	}
	width := 0
	for _, f := range found {
		width = max(width, len(f.Check))
	}
	var lines [][]string
	for _, f := range found {
		// A line of another shape would end the columns of a table.
		check := fmt.Sprintf("%-*s", width, f.Check)
		if !isTerminal(v.out) {
			check = f.Check
		}
		lines = append(lines, []string{string(f.Result), check, f.Detail})
		if f.Mend != "" {
			lines = append(lines, []string{"", "", "mend: " + f.Mend})
		}
	}
	return v.table(lines)
}

// sumUp counts, and fails if any check did.
func sumUp(v view, found []Finding) error {
	count := map[Verdict]int{}
	for _, f := range found {
		count[f.Result]++
	}
	var parts []string
	for _, result := range []Verdict{Pass, Warn, Fail} {
		if n := count[result]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, result))
		}
	}
	fmt.Fprintf(v.errs, "%s: %s\n", several(len(found), "check"), strings.Join(parts, ", "))
	if slices.ContainsFunc(found, func(f Finding) bool { return f.Result == Fail }) {
		return &exit{code: exitFailed} // all was told
	}
	return nil
}
