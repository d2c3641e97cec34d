using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Newton's method for logistic regression, with steps that are halved until the objective falls.</summary>
internal sealed class LogisticNewton
{
    private const int MostSteps = 100;
    private readonly Tensor design;     // [rows, features + 1], the last column is 1
    private readonly Tensor targets;    // [rows, outputs], one-hot
    private readonly Tensor penalty;    // [features + 1], 0 for the intercept
    private readonly double c;
    private readonly long outputs, width;

    public LogisticNewton(double[][] rows, int[] labels, int classes, double c)
    {
        this.c = c;
        outputs = classes == 2 ? 1 : classes;
        width = rows[0].Length + 1;
        design = Examples.ToTensor(Array.ConvertAll(rows, row => (double[])[.. row, 1.0]));
        targets = Examples.ToTensor(Array.ConvertAll(labels, label => outputs == 1 ? [label]
            : Enumerable.Range(0, classes).Select(each => each == label ? 1.0 : 0.0).ToArray()));
        penalty = ones(width, dtype: ScalarType.Float64);
        penalty[-1] = zeros([], ScalarType.Float64);
    }

    /// <returns>Float64 [outputs, features + 1].</returns>
    public Tensor Solve()
    {
        var weights = zeros([outputs, width], ScalarType.Float64);
        var objective = Objective(weights);
        for (var step = 0; step < MostSteps; step++)
        {
            using var scope = NewDisposeScope();
            var (gradient, direction) = Direction(weights);
            if (gradient.abs().max().item<double>() < 1e-10 * c * design.shape[0]) break;
            var length = 1.0;
            for (; length > 1e-10; length /= 2)
            {
                var next = Objective(weights - (direction * length));
                if (!(next < objective)) continue;
                objective = next;
                break;
            }
            if (length <= 1e-10) break;
            weights = (weights - (direction * length)).MoveToOuterDisposeScope();
        }
        return weights;
    }

    private Tensor Probabilities(Tensor logits) => outputs == 1 ? logits.sigmoid() : logits.softmax(1);

    private double Objective(Tensor weights)
    {
        using var scope = NewDisposeScope();
        var logits = design.matmul(weights.t());
        var loss = outputs == 1 ? nn.functional.softplus(logits) - (targets * logits)
            : logits.logsumexp(1, keepdim: true) - (targets * logits).sum(1, keepdim: true);
        return (c * loss.sum().item<double>()) + (0.5 * (weights.square() * penalty).sum().item<double>());
    }

    /// <summary>Gradient, and the solution of Hessian · direction = gradient, both [outputs, features + 1].</summary>
    private (Tensor Gradient, Tensor Direction) Direction(Tensor weights)
    {
        var chances = Probabilities(design.matmul(weights.t()));
        var gradient = (c * (chances - targets).t().matmul(design)) + (weights * penalty);
        var blocks = new List<Tensor>();
        for (var row = 0L; row < outputs; row++)
            blocks.Add(cat([.. Enumerable.Range(0, (int)outputs).Select(column =>
            {
                var own = chances.select(1, row);
                var other = chances.select(1, column);
                var curvature = row == column ? own * (1 - own) : -own * other;
                var block = c * design.t().matmul(design * curvature.unsqueeze(1));
                return row == column ? block + diag(penalty + 1e-9) : block;    // softmax: the intercepts have a free direction
            })], 1));
        var direction = linalg.solve(cat(blocks, 0), gradient.reshape(-1, 1)).reshape(outputs, width);
        return (gradient, direction);
    }
}
