using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tensors;

public sealed class GuardedGradTests
{
    [Fact]
    public void The_gradient_is_the_derivative()
    {
        using var scope = NewDisposeScope();
        var x = randn([4], requires_grad: true);
        Near.Check("d x³", 3 * x.square(), GuardedGrad.Grad(x.pow(3).sum(), [x])[0], 1e-5);
    }

    [Fact]
    public void Gradients_of_intermediate_results_work_and_existing_gradients_are_kept()
    {
        using var scope = NewDisposeScope();
        var x = randn([4], requires_grad: true);
        x.sum().backward();
        var y = x * 2;
        var weights = randn(4);
        Near.Check("d y²", 2 * y * weights, GuardedGrad.Grad(y.square(), [y], weights)[0], 1e-5);
        Near.Check("x.grad", ones(4), x.grad!, 0);
    }

    [Fact]
    public void Second_derivatives_work()
    {
        using var scope = NewDisposeScope();
        var x = randn([4], requires_grad: true);
        var first = GuardedGrad.Grad(x.pow(3).sum(), [x], createGraph: true)[0];
        Near.Check("d² x³", 6 * x, GuardedGrad.Grad(first.sum(), [x])[0], 1e-5);
    }

    [Fact]
    public void Calls_that_would_abort_the_process_throw_an_exception()
    {
        using var scope = NewDisposeScope();
        var x = randn([4], requires_grad: true);
        var unused = randn([2, 3], requires_grad: true);
        Assert.Contains("[4]", Refused(() => GuardedGrad.Grad(x * 2, [x])), StringComparison.Ordinal);
        Assert.Contains("[2, 3]", Refused(() => GuardedGrad.Grad(x.sum(), [x, unused])), StringComparison.Ordinal);
        Assert.Contains("[3]", Refused(() => GuardedGrad.Grad(x * 2, [x], ones(3))), StringComparison.Ordinal);
        Refused(() => GuardedGrad.Grad(ones(1), [x]));
        Refused(() => GuardedGrad.Grad(x.sum(), [ones(4)]));
        Refused(() => GuardedGrad.Grad(x.sum(), []));
    }

    [Fact]
    public void A_graph_that_was_already_freed_throws_an_exception()
    {
        using var scope = NewDisposeScope();
        var x = randn([4], requires_grad: true);
        var y = x.exp().sum();
        GuardedGrad.Grad(y, [x]);
        Assert.ThrowsAny<Exception>(() => GuardedGrad.Grad(y, [x]));
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;
}
