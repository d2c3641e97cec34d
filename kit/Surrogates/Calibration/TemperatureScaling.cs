using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>One number that logits are divided by, so that their probabilities are calibrated.</summary>
/// <param name="Temperature">The number; above 1 if the model is too certain.</param>
/// <param name="LossBefore">Mean log loss of the logits, in nats.</param>
/// <param name="LossAfter">Mean log loss of the divided logits, in nats.</param>
/// <remarks>
/// Guo et al., 2017, https://arxiv.org/abs/1706.04599. Fit it on rows that the model was not trained on. It changes no
/// predicted class.
/// </remarks>
public sealed record TemperatureScaling(double Temperature, double LossBefore, double LossAfter)
{
    private const double Widest = 1e4;

    /// <summary>Finds the temperature with the lowest log loss.</summary>
    /// <param name="logits">[rows, classes]; a single column is the logit of class 1.</param>
    /// <param name="y">Classes, whole numbers [rows].</param>
    /// <exception cref="ArgumentException">
    /// No temperature is best, because every row (or no row) is predicted right; or the shapes do not fit.
    /// </exception>
    public static TemperatureScaling Fit(Tensor logits, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(logits);
        var rows = Examples.Rows(logits.dim() == 1 ? logits.unsqueeze(1) : logits, nameof(logits));
        if (rows[0].Length == 1) rows = Array.ConvertAll(rows, row => (double[])[0, row[0]]);
        var labels = ReliabilityDiagram.CheckedClasses(rows, y);
        // the loss is convex in 1 / temperature: its slope has one root
        double low = 1 / Widest, high = Widest;
        if (Slope(rows, labels, low) >= 0 || Slope(rows, labels, high) <= 0)
            throw new ArgumentException("No temperature is best: the logits rank "
                + (Slope(rows, labels, high) <= 0 ? "the right class first in every row" : "the classes no better than chance")
                + "; fit it on other rows.", nameof(logits));
        for (var step = 0; step < 200 && high - low > 1e-12 * low; step++)
        {
            var middle = Math.Sqrt(low * high);
            if (Slope(rows, labels, middle) < 0) low = middle;
            else high = middle;
        }
        var scale = Math.Sqrt(low * high);
        return new TemperatureScaling(1 / scale, Loss(rows, labels, 1), Loss(rows, labels, scale));
    }

    /// <summary>Divides logits by the temperature.</summary>
    public Tensor Apply(Tensor logits) => logits / Temperature;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"temperature {Temperature:G4}; log loss {LossBefore:G4} before and {LossAfter:G4} nats after");

    /// <summary>Derivative of the loss by the factor of the logits.</summary>
    private static double Slope(double[][] rows, int[] labels, double scale)
    {
        var slope = 0.0;
        for (var row = 0; row < rows.Length; row++)
        {
            double largest = rows[row].Max(), sum = 0, weighted = 0;
            foreach (var logit in rows[row])
            {
                var power = Math.Exp(scale * (logit - largest));
                sum += power;
                weighted += power * logit;
            }
            slope += (weighted / sum) - rows[row][labels[row]];
        }
        return slope / rows.Length;
    }

    private static double Loss(double[][] rows, int[] labels, double scale) =>
        rows.Select((row, at) =>
        {
            var largest = row.Max();
            return Math.Log(row.Sum(logit => Math.Exp(scale * (logit - largest)))) - (scale * (row[labels[at]] - largest));
        }).Average();
}
