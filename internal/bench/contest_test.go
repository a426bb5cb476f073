package bench

import "testing"

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{8, 1, 9, 2}, 5},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("the median of %v is %v, want %v", tt.values, got, tt.want)
		}
	}
	even := &Contender{Rounds: []float64{1, 3}}
	if got := even.To(&Contender{Rounds: []float64{1, 1}}); got != (Ratio{Median: 2, Least: 1, Most: 3}) {
		t.Errorf("the ratio of rounds is %+v", got)
	}
}
