// Package compare says whether one arm of an experiment is slower than another, by how much, and how
// sure that is.
//
// Two arms, A (before) and B (after), each one or several fleet records of the same scenario. For each
// group and path, [Fleets] gives the shift function: the difference B minus A at p10, p20 ... p90, p95, p99 and p99.9, each with an
// interval. A single number would hide what matters: a change can speed up the median and spoil the tail.
//
// # The unit
//
// Messages of one device share its link, its phase and its luck. Were they counted as independent, any two runs would
// differ "significantly". So whole units are resampled: runs, where both arms have at least [MinUnits] of them,
// otherwise blocks of devices. A comparison over devices of one run each says how the devices differ; it cannot know
// how much a second run would differ. The result names its unit, and its warnings say so.
//
// # The method
//
// Quantiles are Harrell-Davis estimates of the merged histograms. Each arm is resampled 2000 times,
// which gives percentile intervals; these are widened for few units as in Hesterberg (The American
// Statistician 69, 2015), by the t distribution with Welch's degrees of freedom. Whether a shift is
// more than chance is decided on Holm-corrected p-values over all quantiles, groups and paths of the
// comparison together, so that a comparison of two equal arms raises a false alarm in at most
// 5 % of cases. The [Verdict] of a quantile is then
//
//   - same, if the whole interval lies within the margin: too small to matter, whether or not it is there;
//   - slower or faster, if it is more than chance;
//   - not enough data otherwise, with the number of units that would probably decide it.
//
// Cliff's delta, the share of pairs in which B is slower minus the share in which it is faster, is the
// effect size of the whole distribution. Delivery is compared by Wilson intervals; what the targets spent on it, by [Cost]; what
// it cost batteries, and how long storms lasted, by [GroupFigure].
//
// # How much it takes
//
// Over 1000 synthetic experiments with distributions of mixed shape (normal, lognormal, exponential, two modes), 95.0 % of
// the intervals hold the true shift, and two equal arms raise a false alarm in 1.8 %. A shift of 5 % is called slower at p99, with 10
// runs per arm, in this share of experiments:
//
//	messages per run   runs of one target differ by   found
//	          20,000                     about 1 %    97.5 %
//	           5,000                     about 1 %    94.3 %
//	           2,000                     about 1 %    76.7 %
//	          20,000                     about 3 %    87.2 %
//	          20,000                     about 5 %    62.3 %
//
// With 2,000 messages, 20 lie beyond p99 of a run; with runs that differ by 5 %, the shift is one standard deviation of a
// run. There it takes more messages or more runs, not another method. The experiments are tests of this package; `make power` repeats them.
//
// [Conformance] compares two conformance records: the verdicts that changed.
//
// # Design
//
// A Kolmogorov-Smirnov test over all messages lost: with a million messages it calls any difference significant and does
// not say how large it is. A bootstrap p-value (the share of resamples beyond zero) lost to the t statistic with a bootstrap
// standard error: 2000 resamples cannot resolve the small values that Holm needs. A
// quantile with fewer than ten messages beyond it is not judged, because its estimate is the maximum in disguise.
package compare
