package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand writes the manual pages that packages bring along.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write a manual page for each command into a folder",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o750); err != nil {
				return fmt.Errorf("make a folder for the manual: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // no date, so that the same program gives the same pages
			header := doc.GenManHeader{Title: "ORDERQ", Section: "1", Source: "orderq " + readBuildInfo().Version, Manual: "orderq"}
			if err := writeManual(root, header, args[0]); err != nil {
				return fmt.Errorf("write the manual: %w", err)
			}
			return nil
		},
	}
}

// writeManual writes a command's page and those of the commands below it, as
// [doc.GenManTree] does, and in each what the exit codes mean.
func writeManual(cmd *cobra.Command, header doc.GenManHeader, dir string) error {
	for _, sub := range cmd.Commands() {
		if !sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := writeManual(sub, header, dir); err != nil {
			return err
		}
	}
	var page bytes.Buffer
	if err := doc.GenMan(cmd, &header, &page); err != nil {
		return err
	}
	const next = ".SH SEE ALSO\n"
	text := strings.Replace(page.String(), next, exitStatus(cmd)+next, 1)
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + "." + header.Section
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644) //nolint:gosec // a manual is for everybody to read
}

// exitStatus is the section on the exit codes, in the language of manual pages.
func exitStatus(cmd *cobra.Command) string {
	codes := []string{
		"0", "done",
		"1", "not done, or something is wrong",
		"2", "wrong usage; or it would ask before a change, and there is no terminal",
		"3", "not found",
		"78", "the configuration cannot be used",
	}
	if cmd.Name() == "check" && cmd.Parent() == cmd.Root() {
		codes = []string{"0", "ok", "1", "warning", "2", "critical; or wrong usage", "3", "unknown", "78", "the configuration cannot be used"}
	}
	var text strings.Builder
	text.WriteString(".SH EXIT STATUS\n")
	for i := 0; i < len(codes); i += 2 {
		fmt.Fprintf(&text, ".TP\n.B %s\n%s\n", codes[i], codes[i+1])
	}
	return text.String()
}
