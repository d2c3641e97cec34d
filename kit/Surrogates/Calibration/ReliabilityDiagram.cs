using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>The predictions whose confidence lies in one interval.</summary>
/// <param name="Low">The confidence is greater than this.</param>
/// <param name="High">The confidence is at most this.</param>
/// <param name="Count">Number of predictions.</param>
/// <param name="Confidence">Mean confidence; NaN without predictions.</param>
/// <param name="Accuracy">Share of hits; NaN without predictions.</param>
public sealed record ReliabilityBin(double Low, double High, int Count, double Confidence, double Accuracy);

/// <summary>Whether predictions that are said with confidence p are right in a share p of the cases.</summary>
/// <param name="Bins">Intervals of the confidence.</param>
/// <param name="CalibrationError">
/// Expected calibration error: mean distance between confidence and accuracy over the bins, weighted by their predictions.
/// </param>
/// <param name="ExpectedIfCalibrated">
/// Mean of the same number when every prediction is right with exactly its confidence: the bias of the estimate. It is not 0,
/// and falls with the root of the number of predictions.
/// </param>
/// <param name="UpperIfCalibrated">95 % quantile of the same: a smaller error is no evidence of miscalibration.</param>
/// <remarks>
/// Guo et al., 2017, https://arxiv.org/abs/1706.04599; the consistency resampling of Bröcker and Smith, 2007.
/// </remarks>
public sealed record ReliabilityDiagram(IReadOnlyList<ReliabilityBin> Bins, double CalibrationError, double ExpectedIfCalibrated,
    double UpperIfCalibrated)
{
    /// <summary>Number of predictions.</summary>
    public int Count => Bins.Sum(bin => bin.Count);

    /// <summary>The largest distance between confidence and accuracy of a bin.</summary>
    public double MaximumError => Bins.Where(bin => bin.Count > 0).Max(bin => Math.Abs(bin.Confidence - bin.Accuracy));

    /// <summary>The calibration error less its bias; not below 0.</summary>
    public double CorrectedError => Math.Max(0, CalibrationError - ExpectedIfCalibrated);

    /// <summary>Whether the error is larger than 95 % of the errors of calibrated predictions.</summary>
    public bool IsMiscalibrated => CalibrationError > UpperIfCalibrated;

    /// <summary>Bins the predictions of logits by the probability of the most probable class.</summary>
    /// <param name="logits">[rows, classes].</param>
    /// <param name="y">Classes, whole numbers [rows].</param>
    /// <param name="bins">Number of intervals of equal width between 0 and 1.</param>
    /// <param name="seed">Seed of the draws that give the bias.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a class is not one of the logits.</exception>
    public static ReliabilityDiagram OfLogits(Tensor logits, Tensor y, int bins = 15, int seed = 0)
    {
        var rows = Examples.Rows(logits, nameof(logits));
        var labels = CheckedClasses(rows, y);
        using var scope = NewDisposeScope();
        var (confidence, predicted) = Examples.ToTensor(rows).softmax(1).max(1);
        var said = predicted.data<long>().ToArray();
        return Of(confidence.data<double>().ToArray(), [.. said.Zip(labels, (own, label) => own == label)], bins, seed);
    }

    /// <summary>Bins the predictions of two classes by the probability of class 1.</summary>
    /// <param name="probabilities">Probabilities of class 1, [rows].</param>
    /// <param name="y">0 or 1, whole numbers [rows].</param>
    /// <param name="bins">Number of intervals of equal width between 0 and 1.</param>
    /// <param name="seed">Seed of the draws that give the bias.</param>
    /// <exception cref="ArgumentException">A probability is not between 0 and 1, or the shapes do not fit.</exception>
    public static ReliabilityDiagram OfProbabilities(Tensor probabilities, Tensor y, int bins = 15, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        var confidences = Examples.Targets(probabilities, (int)probabilities.shape[0]);
        if (Array.Find(confidences, chance => chance is < 0 or > 1) is var odd && odd is < 0 or > 1)
            throw new ArgumentException(FormattableString.Invariant($"Got the probability {odd}; expected 0 to 1."),
                nameof(probabilities));
        var labels = Examples.Classes(y, confidences.Length);
        if (labels.Max() > 1)
            throw new ArgumentException($"y holds the class {labels.Max()}; expected 0 and 1.", nameof(y));
        return Of(confidences, Array.ConvertAll(labels, label => label == 1), bins, seed);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"calibration error {CalibrationError:0.0000} on {Count:N0} predictions; calibrated ones would have {ExpectedIfCalibrated:0.0000} ")
        + string.Create(CultureInfo.InvariantCulture, $"on average, up to {UpperIfCalibrated:0.0000} in 95 % of the cases");

    internal static int[] CheckedClasses(double[][] logits, Tensor y)
    {
        var labels = Examples.Classes(y, logits.Length);
        return labels.Max() < logits[0].Length ? labels : throw new ArgumentException(
            $"y holds the class {labels.Max()}; the logits have {logits[0].Length} classes, from 0.", nameof(y));
    }

    private static ReliabilityDiagram Of(double[] confidences, bool[] hits, int bins, int seed)
    {
        const int Draws = 1000;
        Tensors.Require.AtLeast(1, bins);
        var places = Array.ConvertAll(confidences, chance => Math.Clamp((int)Math.Ceiling(chance * bins) - 1, 0, bins - 1));
        var (counts, sums, right) = (new int[bins], new double[bins], new double[bins]);
        for (var row = 0; row < places.Length; row++)
        {
            counts[places[row]]++;
            sums[places[row]] += confidences[row];
            right[places[row]] += hits[row] ? 1 : 0;
        }
        var random = new Random(seed);
        var draws = Math.Clamp(4_000_000 / confidences.Length, 100, Draws);
        var simulated = new double[draws];
        for (var draw = 0; draw < draws; draw++)
        {
            var drawn = new double[bins];
            for (var row = 0; row < places.Length; row++)
                if (random.NextDouble() < confidences[row]) drawn[places[row]]++;
            simulated[draw] = Error(drawn);
        }
        Array.Sort(simulated);
        return new ReliabilityDiagram([.. Enumerable.Range(0, bins).Select(bin => new ReliabilityBin(bin / (double)bins,
            (bin + 1) / (double)bins, counts[bin], sums[bin] / counts[bin], right[bin] / counts[bin]))], Error(right),
            simulated.Average(), simulated[(int)(0.95 * (draws - 1))]);

        double Error(double[] own) => own.Zip(sums).Sum(bin => Math.Abs(bin.First - bin.Second)) / confidences.Length;
    }
}
