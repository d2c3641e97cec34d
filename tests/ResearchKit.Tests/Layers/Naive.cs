using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>
/// Layers' parts written out as their formulas say, a number at a time in float64: what the fast ones are compared with.
/// </summary>
internal static class Naive
{
    public static double[] Vector(Tensor tensor) => tensor.detach().to(float64).flatten().data<double>().ToArray();

    /// <summary>[rows, columns] as an array of rows.</summary>
    public static double[][] Rows(Tensor matrix) =>
        [.. Enumerable.Range(0, (int)matrix.shape[0]).Select(row => Vector(matrix[row]))];

    /// <summary>W x, as torch's Linear without a bias.</summary>
    public static double[] Times(double[][] weight, double[] x) => [.. weight.Select(row => Dot(row, x))];

    public static double Dot(double[] a, double[] b) => a.Zip(b, (one, other) => one * other).Sum();

    public static double[] Plus(double[] a, double[] b) => [.. a.Zip(b, (one, other) => one + other)];

    public static double[] Scaled(double factor, double[] x) => [.. x.Select(value => factor * value)];

    public static double[] Softmax(double[] scores)
    {
        var weights = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
        return Scaled(1 / weights.Sum(), weights);
    }

    /// <summary>Σ wᵢ vᵢ.</summary>
    public static double[] Sum(double[] weights, double[][] vectors)
    {
        var sum = new double[vectors[0].Length];
        for (var i = 0; i < weights.Length; i++) sum = Plus(sum, Scaled(weights[i], vectors[i]));
        return sum;
    }

    /// <summary>softmax(q kᵀ / √d) v for one query.</summary>
    public static double[] Attend(double[] query, double[][] keys, double[][] values) =>
        Sum(Softmax([.. keys.Select(key => Dot(query, key) / Math.Sqrt(query.Length))]), values);

    public static double[] RmsNorm(double[] x, double[] weight, double epsilon)
    {
        var root = Math.Sqrt(x.Select(value => value * value).Average() + epsilon);
        return [.. x.Zip(weight, (value, factor) => value / root * factor)];
    }

    /// <summary>Turns the pair (i, i + d/2) by position · 10000^(-2i/d).</summary>
    public static double[] Rotate(double[] x, int position)
    {
        var (half, turned) = (x.Length / 2, new double[x.Length]);
        for (var i = 0; i < half; i++)
        {
            var angle = position * Math.Pow(10_000, -2.0 * i / x.Length);
            turned[i] = (x[i] * Math.Cos(angle)) - (x[i + half] * Math.Sin(angle));
            turned[i + half] = (x[i + half] * Math.Cos(angle)) + (x[i] * Math.Sin(angle));
        }
        return turned;
    }

    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>A layer's parameters by name.</summary>
    public static Func<string, double[][]> Weights(nn.Module layer)
    {
        var all = layer.state_dict();
        return name => Rows(all[name].dim() == 2 ? all[name] : all[name].reshape(all[name].shape[0], -1));
    }
}
