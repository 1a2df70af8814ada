// Package fixed computes logarithms and exponentials in integers, so that a score is the same on every machine. Logarithms are in
// milli-nats: thousandths of the natural logarithm's unit.
package fixed

import "math/bits"

const (
	ln2Milli = 693_147 // ln 2, in thousandths of a milli-nat
	fraction = 10      // bits of the mantissa that index the table of logarithms
	steps    = 693     // milli-nats in ln 2
	one      = 1 << 62
	eMilli   = 4616300011057631034 // e^(1/1000), as a multiple of 2^-62
)

// logs holds ln(1+i/1024) in thousandths of a milli-nat; powers holds e^(i/1000) as multiples of 2^-62.
var (
	logs   = makeLogs()
	powers = makePowers()
)

func makePowers() (t [steps + 1]uint64) {
	t[0] = one
	for i := 1; i <= steps; i++ {
		t[i] = mul62(t[i-1], eMilli)
	}
	return t
}

// makeLogs finds each logarithm bit by bit: squaring a number doubles its logarithm.
func makeLogs() (t [1<<fraction + 1]int64) {
	for i := range t[:1<<fraction] {
		x, log2 := uint64(one)+uint64(i)<<(62-fraction), uint64(0)
		for range 40 {
			x = mul62(x, x)
			log2 <<= 1
			if x >= 2*one {
				x, log2 = x>>1, log2|1
			}
		}
		hi, lo := bits.Mul64(log2, ln2Milli)
		t[i] = int64(hi<<24 | lo>>40)
	}
	t[1<<fraction] = ln2Milli
	return t
}

// mul62 multiplies two multiples of 2^-62.
func mul62(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi<<2 | lo>>62
}

// Ln returns the natural logarithm of x in milli-nats, that of 0 as if it were 1.
func Ln(x uint64) int64 {
	if x <= 1 {
		return 0
	}
	exponent := bits.Len64(x) - 1
	mantissa := x << (63 - exponent) << 1 // what follows the leading one, from the top
	at := mantissa >> (64 - fraction)
	rest := int64(mantissa << fraction >> 44) // of 2^20
	log := int64(exponent)*ln2Milli + logs[at] + (logs[at+1]-logs[at])*rest>>20
	return (log + 500) / 1000
}

// LnRatio returns ln(a/b) in milli-nats.
func LnRatio(a, b uint64) int64 { return Ln(a) - Ln(b) }

// Exp returns e to the power of a number of milli-nats, in millionths. What is over 20,000 milli-nats counts as that.
func Exp(milliNats int64) uint64 {
	x := min(milliNats, 20_000)
	if x < -14_000 {
		return 0
	}
	shift := x * 1000 / ln2Milli // whole doublings
	if x < 0 {
		shift--
	}
	rest := x*1000 - shift*ln2Milli // in thousandths of a milli-nat, from 0 to ln 2
	at := rest / 1000
	p := powers[at]
	p += mul62(p, uint64(rest%1000)*(one/1_000_000))
	hi, lo := bits.Mul64(p, 1_000_000) // a multiple of 2^-62
	if shift >= 0 {
		hi, lo = hi<<uint(shift)|lo>>uint(64-shift), lo<<uint(shift)
		return hi<<2 | lo>>62
	}
	return (hi<<2 | lo>>62) >> uint(-shift)
}

// Share returns e^x/(1+e^x) for x in milli-nats, in millionths.
func Share(milliNats int64) uint64 {
	if milliNats > 14_000 {
		return 1_000_000
	}
	e := Exp(milliNats)
	return (e*1_000_000 + (1_000_000+e)/2) / (1_000_000 + e)
}

// LnSum returns ln(e^a + e^b).
func LnSum(a, b int64) int64 {
	if a < b {
		a, b = b, a
	}
	if b <= a-14_000 {
		return a
	}
	return a + LnRatio(1_000_000+Exp(b-a), 1_000_000)
}

// Excess returns how surprising it is to see k where m are expected, in milli-nats: k·ln(k/m) − (k−m), and 0 where k is no more than m.
// Both are in thousandths; neither may be more than about 10^9.
func Excess(k, m uint64) int64 {
	if k <= m || m == 0 {
		return 0
	}
	return int64(k)*LnRatio(k, m)/1000 - int64(k-m)
}
