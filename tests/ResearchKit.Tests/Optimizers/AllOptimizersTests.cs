using ResearchKit.Checkpoints;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

/// <summary>What every optimizer of the kit must do, found by the type of its options.</summary>
[Trait("Tier", "slow")]
public sealed class AllOptimizersTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("optimizers-").FullName;

    public static TheoryData<string> Names => [.. Types.Select(type => type.Name)];

    private static IEnumerable<Type> Types => typeof(OptimizerSettings).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(OptimizerSettings)) && !type.IsAbstract)
            .OrderBy(type => type.Name, StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_after_a_resume_are_bit_identical(string name)
    {
        using var scope = NewDisposeScope();
        var (whole, halves) = (Parameters(), Parameters());
        using var uninterrupted = Options(name).Create(whole);
        Steps(uninterrupted, whole, 1, 8);

        using var before = Options(name).Create(halves);
        Steps(before, halves, 1, 4);
        var path = Path.Combine(folder, "optimizer.safetensors");
        SafetensorsFile.Write(path, before.State());
        using var after = Options(name).Create(halves);
        after.LoadState(SafetensorsFile.Read(path));
        Steps(after, halves, 5, 8);

        AssertEqual(whole, halves);
        Assert.All(after.State(), pair => Near.Check(pair.Key, uninterrupted.State()[pair.Key], pair.Value, 0));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Mismatched_state_is_refused_and_nothing_is_copied(string name)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        using var optimizer = Options(name).Create(parameters);
        Steps(optimizer, parameters, 1, 2);
        var good = optimizer.State().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        foreach (var key in good.Keys)
        {
            var missing = good.Where(pair => pair.Key != key).ToDictionary(pair => pair.Key, pair => zeros_like(pair.Value));
            Assert.Contains(key, Assert.Throws<InvalidDataException>(() => optimizer.LoadState(missing)).Message,
                StringComparison.Ordinal);
            var misshapen = new Dictionary<string, Tensor>(missing) { [key] = zeros(1, 2, 3) };
            Assert.Contains("[1, 2, 3]", Assert.Throws<InvalidDataException>(() => optimizer.LoadState(misshapen)).Message,
                StringComparison.Ordinal);
        }
        Assert.All(optimizer.State(), pair => Near.Check(pair.Key, good[pair.Key], pair.Value, 0));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_zero_gradient_without_decay_moves_nothing(string name)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        using var optimizer = (Options(name) with { WeightDecay = 0 }).Create(parameters);
        for (var step = 0; step < 3; step++)
        {
            foreach (var (_, parameter) in parameters) parameter.grad = zeros_like(parameter);
            optimizer.Step();
        }
        AssertEqual(Parameters(), parameters);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_order_of_parameters_does_not_matter(string name)
    {
        using var scope = NewDisposeScope();
        var (forward, backward) = (Parameters(), Parameters());
        using var one = Options(name).Create(forward);
        using var other = Options(name).Create(Enumerable.Reverse(backward));
        Steps(one, forward, 1, 3);
        Steps(other, backward, 1, 3);
        // sums over parameters round otherwise
        foreach (var (a, b) in forward.Zip(backward)) Near.Check(a.Name, a.Parameter, b.Parameter, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parameters_without_a_gradient_or_with_a_rate_of_zero_do_not_change(string name)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        using var optimizer = (Options(name) with { Groups = [new(ParameterRules.Named("kernel")) { LearningRateFactor = 0 }] })
            .Create(parameters);
        SetGradients(parameters, 1);
        parameters.Single(pair => pair.Name == "bias").Parameter.grad = null;
        for (var step = 0; step < 3; step++) optimizer.Step();
        foreach (var (start, now) in Parameters().Zip(parameters))
        {
            var moved = (start.Parameter - now.Parameter).abs().max().item<float>() > 0;
            Assert.Equal(start.Name == "weight", moved);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void It_converges_to_the_minimum_of_a_quadratic_function(string name)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        using var optimizer = (Options(name) with { WeightDecay = 0 }).Create(parameters);
        if (name is not ("AdafactorOptions" or "ProdigyOptions"))
            optimizer.LearningRate =
                name switch { "ScheduleFreeSgdOptions" or "FusedSgdOptions" or "ShampooOptions" => 0.3, _ => 0.03 };
        var before = Distance(parameters);
        for (var step = 0; step < 150; step++)
        {
            foreach (var (_, parameter) in parameters) parameter.grad = (parameter - 0.5).detach();
            if (optimizer is SophiaG sophia) sophia.UpdateHessian();
            optimizer.Step();
        }
        optimizer.Evaluate();
        var after = Distance(parameters);
        optimizer.ZeroGrad();
        Assert.All(parameters, pair => Assert.Null(pair.Parameter.grad));
        Assert.True(after < before * (name == "AdafactorOptions" ? 0.9 : 0.3), $"{before} to {after}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parameters_may_be_bfloat16_or_float64(string name)
    {
        using var scope = NewDisposeScope();
        var (narrow, single, wide) = (Parameters(bfloat16), Parameters(), Parameters(float64));
        foreach (var parameters in new[] { narrow, single, wide })
        {
            using var optimizer = Options(name).Create(parameters);
            if (optimizer.LearningRate > 0.01 && optimizer is not Prodigy and not Adafactor) optimizer.LearningRate = 0.01;
            Steps(optimizer, parameters, 1, 4);
        }
        foreach (var ((a, b), c) in narrow.Zip(single).Zip(wide))
        {
            Assert.Equal((bfloat16, float64), (a.Parameter.dtype, c.Parameter.dtype));
            Near.Check($"{a.Name} in float64", c.Parameter, b.Parameter, 1e-4);
            Near.Check($"{a.Name} in bfloat16", c.Parameter, a.Parameter, 0.1);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Strides_of_gradients_and_parameters_do_not_matter(string name)
    {
        using var scope = NewDisposeScope();
        var (plain, other) = (Parameters(), Parameters());
        // channels last
        other[1] = ("kernel", new Parameter(other[1].Parameter.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)));
        using var one = Options(name).Create(plain);
        using var two = Options(name).Create(other);
        for (var step = 1; step <= 3; step++)
        {
            SetGradients(plain, step);
            foreach (var (a, b) in plain.Zip(other))
                b.Parameter.grad = a.Name == "weight" ? a.Parameter.grad!.t().contiguous().t() : a.Parameter.grad!.clone();
            one.Step();
            two.Step();
        }
        foreach (var (a, b) in plain.Zip(other)) Near.Check(a.Name, a.Parameter, b.Parameter, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_tensor_leaks(string name)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        SetGradients(parameters, 1);
        var before = LiveTensors.Count;
        using (var optimizer = Options(name).Create(parameters))
        {
            optimizer.Step();
            optimizer.Step();
            var running = LiveTensors.Count;
            for (var step = 0; step < 12; step++) optimizer.Step();
            optimizer.Evaluate();
            optimizer.Train();
            Assert.Equal(running, LiveTensors.Count);
        }
        Assert.Equal(before, LiveTensors.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Invalid_settings_and_parameters_are_refused(string name)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        var options = Options(name);
        Assert.Contains("-1",
            Assert.Throws<ArgumentException>(() => (options with { LearningRate = -1 }).Create(parameters)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => (options with { LearningRate = double.NaN }).Create(parameters));
        Assert.Throws<ArgumentException>(() => (options with { WeightDecay = -1 }).Create(parameters));
        Assert.Throws<ArgumentException>(() =>
            (options with { Groups = [new(ParameterRules.All) { LearningRateFactor = -1 }] }).Create(parameters));
        Assert.Contains("no parameter", Assert.Throws<ArgumentException>(() => options.Create([])).Message,
            StringComparison.Ordinal);
        Assert.Contains("the name weight",
            Assert.Throws<ArgumentException>(() =>
            options.Create([parameters[2], ("weight", new Parameter(ones(2, 2)))])).Message, StringComparison.Ordinal);
        Assert.Contains("same parameter as",
            Assert.Throws<ArgumentException>(() => options.Create([parameters[2], ("tied", parameters[2].Parameter)])).Message,
            StringComparison.Ordinal);
        using var optimizer = options.Create(parameters);
        Assert.Throws<ArgumentException>(() => optimizer.LearningRate = double.NaN);
        foreach (var property in options.GetType().GetProperties()
            .Where(property => property.PropertyType == typeof(double)
            && property.Name.StartsWith("Beta", StringComparison.Ordinal)))
        {
            var wrong = options with { };
            property.SetValue(wrong, 1.0);
            Assert.Contains(property.Name, Assert.Throws<ArgumentException>(() => wrong.Create(parameters)).Message,
                StringComparison.Ordinal);
        }
    }

    private static OptimizerSettings Options(string name) =>
        (OptimizerSettings)Activator.CreateInstance(Types.Single(type => type.Name == name))! switch
        {
            FusedSgdOptions sgd => sgd with { Momentum = 0.9 },
            FusedAdamOptions adam and not FusedAdamWOptions => adam with { AmsGrad = true },
            AdamW8bitOptions small => small with { SmallestQuantized = 0, BlockSize = 20 },
            AdafactorOptions adafactor => adafactor with { Beta1 = 0.9 },
            ScheduleFreeAdamWOptions free => free with { InnerMomentum = 0.5, WarmupSteps = 3 },
            SoapOptions soap => soap with { PreconditionFrequency = 2 },
            ProdigyOptions prodigy => prodigy with { InitialDistance = 1e-2, Slice = 2 },
            SophiaGOptions sophia => sophia with { BatchSize = 1, Rho = 1 },
            AdanOptions adan => adan with { MaximumGradientNorm = 5 },
            var options => options,
        };

    private static List<(string Name, Parameter Parameter)> Parameters(ScalarType dtype = ScalarType.Float32)
    {
        using var generator = new Generator(5);
        return [.. new[] { ("bias", new long[] { 7 }), ("kernel", [4, 3, 2, 2]), ("weight", [6, 5]) }
            .Select(one => (one.Item1, new Parameter(randn(one.Item2, generator: generator).to(dtype))))];
    }

    private static void SetGradients(List<(string Name, Parameter Parameter)> parameters, int step)
    {
        using var generator = new Generator((ulong)step);
        foreach (var (_, parameter) in parameters)
            parameter.grad = randn(parameter.shape, generator: generator).to(parameter.dtype);
    }

    private static void Steps(Optimizer optimizer, List<(string Name, Parameter Parameter)> parameters, int first, int last)
    {
        for (var step = first; step <= last; step++)
        {
            SetGradients(parameters, step);
            if (optimizer is SophiaG sophia) sophia.UpdateHessian();
            optimizer.Step();
        }
    }

    private static double Distance(List<(string Name, Parameter Parameter)> parameters) =>
        parameters.Sum(pair => (pair.Parameter - 0.5).square().sum().item<float>());

    private static void AssertEqual(List<(string Name, Parameter Parameter)> expected,
        List<(string Name, Parameter Parameter)> actual)
    {
        foreach (var (a, b) in expected.Zip(actual)) Near.Check(a.Name, a.Parameter, b.Parameter, 0);
    }
}
