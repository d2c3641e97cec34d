using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>What a linear head would be without one of its training examples.</summary>
public static class LeaveOneOut
{
    /// <summary>
    /// The least-squares solutions without each example, exactly: θ - H⁻¹ x r / (1 - h), where r is the residual and h = xᵀ H⁻¹
    /// x.
    /// </summary>
    /// <param name="features">[examples, features], a column of ones among them where there is an intercept.</param>
    /// <param name="targets">[examples].</param>
    /// <param name="ridge">Weight of the squared parameters.</param>
    /// <returns>float64 [examples, features]: row i is the solution without example i.</returns>
    /// <exception cref="ArgumentException">Shapes do not fit, or the solution is not unique, also without one
    /// example.</exception>
    public static Tensor LeastSquares(Tensor features, Tensor targets, double ridge = 0)
    {
        Require.NotNegative(ridge);
        if (features.dim() != 2 || targets.dim() != 1 || targets.shape[0] != features.shape[0])
            throw new ArgumentException($"Got features {features.ShapeText()} and targets {targets.ShapeText()}; expected "
                + "[examples, features] and [examples].");
        using var scope = NewDisposeScope();
        var (x, y) = (features.to(float64), targets.to(float64));
        var hessian = x.t().matmul(x) + (ridge * eye(x.shape[1], dtype: float64));
        var scale = linalg.eigvalsh(hessian);
        if (scale[0].item<double>() <= 1e-12 * scale[-1].item<double>())
            throw new ArgumentException($"The {features.shape[1]} features of {features.shape[0]} examples depend on each "
                + "other, so the "
                + "solution is not unique; drop one, or add a ridge.");
        var inverse = linalg.inv(hessian);
        var solution = inverse.matmul(x.t().matmul(y));
        var (projected, residual) = (x.matmul(inverse), y - x.matmul(solution));
        var leverage = (projected * x).sum(dim: 1);
        if (leverage.max().item<double>() > 1 - 1e-12)
            throw new ArgumentException($"Example {leverage.argmax().item<long>()} alone decides a feature; without it there "
                + "is no "
                + "solution.");
        return (solution.unsqueeze(0) - (projected * (residual / (1 - leverage)).unsqueeze(1))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The softmax classifiers without each example after one Newton step from the solution on all: an approximation, which is
    /// good when one example changes little.
    /// </summary>
    /// <param name="features">[examples, features].</param>
    /// <param name="labels">int64 [examples].</param>
    /// <param name="weights">[classes, features], the minimum of the summed cross-entropy with the ridge.</param>
    /// <param name="ridge">Weight of half the squared parameters; above 0, since the softmax leaves a direction free.</param>
    /// <returns>float64 [examples, classes, features].</returns>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static Tensor CrossEntropyStep(Tensor features, Tensor labels, Tensor weights, double ridge)
    {
        Require.Positive(ridge);
        if (features.dim() != 2 || weights.dim() != 2 || weights.shape[1] != features.shape[1]
            || !labels.shape.SequenceEqual([features.shape[0]]))
            throw new ArgumentException($"Got features {features.ShapeText()}, labels {labels.ShapeText()} and weights "
                + $"{weights.ShapeText()}; expected [examples, features], [examples] and [classes, features].");
        using var scope = NewDisposeScope();
        var (x, w) = (features.to(float64), weights.to(float64));
        var (classes, width) = (w.shape[0], w.shape[1]);
        var p = x.matmul(w.t()).softmax(-1);   // [examples, classes]
        // [examples, classes, features]
        var gradient = (p - nn.functional.one_hot(labels.to(int64), classes).to(float64)).unsqueeze(2) * x.unsqueeze(1);
        var curvature = diag_embed(p) - (p.unsqueeze(2) * p.unsqueeze(1));   // [examples, classes, classes]
        Tensor Hessian(Tensor each, Tensor rows) =>
            einsum("nab,nf,ng->afbg", each, rows, rows).reshape(classes * width, classes * width);
        var whole = Hessian(curvature, x) + (ridge * eye(classes * width, dtype: float64));
        var steps = Enumerable.Range(0, (int)x.shape[0]).Select(at =>
        {
            using var inner = NewDisposeScope();
            var without = whole - Hessian(curvature[at..(at + 1)], x[at..(at + 1)]);
            return linalg.solve(without, gradient[at].flatten().unsqueeze(1)).view(classes, width).MoveToOuterDisposeScope();
        });
        return (w.unsqueeze(0) + stack(steps)).MoveToOuterDisposeScope();
    }
}
