using ResearchKit.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class TorchOptimizerTests
{
    public static TheoryData<string> Cases =>
        ["rmsprop.0", "rmsprop.1", "nadam.0", "nadam.1", "adagrad.0", "adamax.0", "adadelta.0"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_equals_the_reference_step_by_step(string name)
    {
        using var scope = NewDisposeScope();
        var golden = new OptimizerCase(name);
        using var optimizer = Wrapped(name.Split('.')[0], golden.Hyper, golden.Parameters.Select(pair => pair.Parameter));
        for (var step = 0; step < 20; step++)
        {
            golden.SetGradients(step);
            optimizer.Step();
            golden.Check(step);
        }
    }

    [Theory]
    [InlineData("radam.0")]
    [InlineData("radam.1")]
    public void RAdam_of_TorchSharp_differs_from_the_reference_once_it_rectifies(string name)
    {
        using var scope = NewDisposeScope();
        var golden = new OptimizerCase(name);
        using var optimizer = Wrapped("radam", golden.Hyper, golden.Parameters.Select(pair => pair.Parameter));
        for (var step = 0; step < 19; step++)
        {
            golden.SetGradients(step);
            optimizer.Step();
            golden.Check(step);   // stored are 1, 2 and 5, which do not
        }
        golden.SetGradients(19);
        optimizer.Step();
        Assert.ThrowsAny<Exception>(() => golden.Check(19));
    }

    private static TorchOptimizer Wrapped(string family, Hyper hyper, IEnumerable<Parameter> parameters)
    {
        var (lr, decay, eps) = (hyper.Number("lr", 0.01), hyper.Number("weight_decay", 0), hyper.Number("eps", 1e-8));
        return new TorchOptimizer(family switch
        {
            "rmsprop" => optim.RMSProp(parameters, lr, hyper.Number("alpha", 0.99), eps, decay, hyper.Number("momentum", 0),
                hyper.Flag("centered")),
            "nadam" => optim.NAdam(parameters, lr, hyper.Beta(0, 0.9), hyper.Beta(1, 0.999), eps, decay,
                hyper.Number("momentum_decay", 4e-3)),
            "radam" => optim.RAdam(parameters, lr, hyper.Beta(0, 0.9), hyper.Beta(1, 0.999), eps, decay),
            "adagrad" => optim.Adagrad(parameters, lr, hyper.Number("lr_decay", 0), decay,
                hyper.Number("initial_accumulator_value", 0), hyper.Number("eps", 1e-10)),
            "adamax" => optim.Adamax(parameters, lr, hyper.Beta(0, 0.9), hyper.Beta(1, 0.999), eps, decay),
            _ => optim.Adadelta(parameters, lr, hyper.Number("rho", 0.9), hyper.Number("eps", 1e-6), decay),
        });
    }

    [Fact]
    public void Training_resumes_exactly_from_a_state_and_damaged_state_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (new Parameter(ones(3)), new Parameter(ones(3)));
        using var one = new TorchOptimizer(optim.RMSProp([first], 0.1, momentum: 0.9));
        using var two = new TorchOptimizer(optim.RMSProp([second], 0.5, momentum: 0.9));
        first.grad = tensor(new[] { 1f, 2, 3 });
        one.Step();
        two.LoadState(one.State());
        Assert.Equal(0.1, two.LearningRate);
        using (no_grad()) second.copy_(first);
        second.grad = first.grad!.clone();
        one.Step();
        var before = two.State()["torch_optimizer"].clone();
        Assert.Throws<InvalidDataException>(() =>
            two.LoadState(new Dictionary<string, Tensor> { ["torch_optimizer"] = before[..20] }));
        Assert.Throws<InvalidDataException>(() => two.LoadState(new Dictionary<string, Tensor>()));
        two.Step();
        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void Groups_keep_the_ratio_of_their_rates()
    {
        using var scope = NewDisposeScope();
        var (slow, fast) = (new Parameter(ones(1)), new Parameter(ones(1)));
        using var inner = optim.SGD([new SGD.ParamGroup(new[] { slow }, new SGD.Options { LearningRate = 0.1 }),
            new SGD.ParamGroup(new[] { fast }, new SGD.Options { LearningRate = 0.2 })], 0.1);
        using var optimizer = new TorchOptimizer(inner) { LearningRate = 0.5 };
        (slow.grad, fast.grad) = (ones(1), ones(1));
        optimizer.Step();
        Assert.Equal(0.5f, slow.item<float>(), 6);
        Assert.Equal(0, fast.item<float>(), 6);
        optimizer.ZeroGrad();
        Assert.Null(slow.grad);
    }
}
