package payload

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// readTable reads the CSV. Texts are escaped for JSON once, here.
func (s *Source) readTable() error {
	all, err := csv.NewReader(strings.NewReader(s.cfg.Table)).ReadAll()
	switch {
	case err != nil:
		return fmt.Errorf("the table: %w", err)
	case len(all) < 2:
		return errors.New("the table needs a line of column names and at least one row")
	}
	s.columns, s.rows = all[0], all[1:]
	for _, name := range s.columns {
		if !placeholder.MatchString("{" + name + "}") {
			return fmt.Errorf("column %q: the name may hold letters, digits and _ only, and not begin with a digit", name)
		}
	}
	for _, row := range s.rows {
		for i, cell := range row {
			quoted, err := json.Marshal(cell)
			if err != nil {
				return fmt.Errorf("cell %q: %w", cell, err)
			}
			row[i] = string(quoted[1 : len(quoted)-1])
		}
	}
	return nil
}

func (s *Source) column(name string) int { return slices.Index(s.columns, name) }

// numeric reports whether a column holds JSON numbers only.
func numeric(rows [][]string, column int) bool {
	for _, row := range rows {
		v, err := strconv.ParseFloat(row[column], 64)
		if err != nil || strings.ContainsAny(row[column], "xXnNiI_+") || v != v {
			return false
		}
	}
	return true
}
