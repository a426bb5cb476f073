package main

import "strings"

// unknownKey says that a key is none, and what may have been meant.
func (s schema) unknownKey(key string) string {
	if s.sections[key] {
		return "is a section: set a key in it, such as " + s.firstIn(key)
	}
	if near := s.nearest(key); near != "" {
		return "unknown key; did you mean " + near + "?"
	}
	return "unknown key" + s.listed(key)
}

// unknownVariable does the same for a name in the environment.
func (s schema) unknownVariable(name string) string {
	key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, envPrefix), "__", "."))
	if near := s.nearest(key); near != "" {
		return "no key has this name; did you mean " + variableName(near) + "?"
	}
	return "no key has this name" + s.listed(key)
}

// nearest gives the key that was probably meant, or nothing: the one above, the
// one of the same name elsewhere in the section, else the most similar one.
func (s schema) nearest(key string) string {
	top, _, _ := strings.Cut(key, ".")
	last := key[strings.LastIndexByte(key, '.')+1:]
	names := make([]string, 0, len(s.leaves)+len(s.sections))
	for _, l := range s.leaves {
		if strings.HasPrefix(key, l.key+".") || strings.HasPrefix(l.key, top+".") && strings.HasSuffix(l.key, "."+last) {
			return l.key
		}
		names = append(names, l.key)
		for section := l.key; strings.Contains(section, "."); {
			section = section[:strings.LastIndexByte(section, '.')]
			names = append(names, section)
		}
	}
	return similar(key, names, max(1, len(last)/3))
}

// listed names what the section of an unknown key has.
func (s schema) listed(key string) string {
	section := key[:max(0, strings.LastIndexByte(key, '.'))]
	var names []string
	for _, l := range s.leaves {
		if rest, ok := strings.CutPrefix(l.key, section+"."); ok && !strings.Contains(rest, ".") {
			names = append(names, rest)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; " + section + " has " + strings.Join(names, ", ")
}

// didYouMean gives "; did you mean X?" for the name nearest to a mistyped one,
// or nothing where none is near.
func didYouMean(typed string, names []string) string {
	if near := similar(typed, names, max(2, len(typed)/3)); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// similar gives the first of the names with the least distance, if that is no
// more than most.
func similar(typed string, names []string, most int) string {
	best, least := "", most+1
	for _, name := range names {
		if d := editDistance(typed, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance in bytes: how many insertions,
// deletions and replacements make b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j]+1, row[j+1]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
