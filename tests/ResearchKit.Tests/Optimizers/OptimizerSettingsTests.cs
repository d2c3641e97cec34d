using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

/// <summary>Settings that no golden trajectory has, by hand or by a law.</summary>
public sealed class OptimizerSettingsTests
{
    [Fact]
    public void Rules_select_parameters_by_name_and_shape()
    {
        using var scope = NewDisposeScope();
        var (matrix, vector) = (zeros(2, 2), zeros(2));
        Assert.True(ParameterRules.MatricesOnly("h.0.weight", matrix));
        Assert.False(ParameterRules.MatricesOnly("h.0.norm.weight", vector));
        Assert.True(ParameterRules.Named("wte", "wpe")("wpe.weight", matrix));
        Assert.False(ParameterRules.Named("WTE")("wte.weight", matrix));
        Assert.True(ParameterRules.Not(ParameterRules.Named("bias"))("weight", vector));
        Assert.True(ParameterRules.All("x", vector));
    }

    [Fact]
    public void A_parameter_belongs_to_the_first_matching_group_and_decays_by_the_rule()
    {
        using var scope = NewDisposeScope();
        var parameters = new[] { "a.weight", "a.bias", "b.weight", "c.weight" }.Select(name =>
            (name, new Parameter(name.EndsWith("bias", StringComparison.Ordinal) ? ones(1) : ones(1, 1)))).ToList();
        using var optimizer = new FusedSgd(parameters, new FusedSgdOptions
        {
            LearningRate = 0.1,
            WeightDecay = 1,
            Decays = ParameterRules.MatricesOnly,
            Groups = [new(ParameterRules.Named("a.")) { LearningRateFactor = 2, WeightDecay = 3 },
                new(ParameterRules.Named("weight")) { WeightDecay = 0 }, new(ParameterRules.All) { LearningRateFactor = 100 }],
        });
        foreach (var (_, parameter) in parameters) parameter.grad = ones_like(parameter);
        optimizer.Step();
        Assert.Equal([1 - (0.2 * 4), 1 - 0.2, 1 - 0.1, 1 - 0.1], parameters.Select(pair => (double)pair.Item2.item<float>()),
            (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Cautious_LAMB_updates_only_where_the_update_agrees_with_the_gradient()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new[] { 1.0, 1.0 }));
        using var optimizer =
            new Lamb([("w", weight)],
            new LambOptions { LearningRate = 0.1, WeightDecay = 0, MaximumGradientNorm = null, Cautious = true, Epsilon = 0 });
        weight.grad = tensor(new[] { 1.0, 1.0 });
        optimizer.Step();
        Near.Check("first", tensor(new[] { 0.9, 0.9 }), weight, 1e-12);
        weight.grad = tensor(new[] { 1.0, -0.1 });   // the second mean still points the other way
        optimizer.Step();
        var (mean, square) = (((0.9 * 0.1) + 0.1) / (1 - 0.81), ((0.999 * 0.001) + 0.001) / (1 - (0.999 * 0.999)));
        // of two, one moves, twice as far
        Near.Check("second", tensor(new[] { 0.9 - (0.1 * 2 * mean / Math.Sqrt(square)), 0.9 }), weight, 1e-12);
    }

    [Fact]
    public void Weight_decay_of_LAMB_may_be_decoupled_and_scale_with_the_squared_rate()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new[] { 2.0 }));
        using var optimizer =
            new Lamb([("w", weight)],
            new LambOptions
            {
                LearningRate = 0.5,
                WeightDecay = 0.2,
                MaximumGradientNorm = null,
                DecoupledDecay = true,
                CorrectedDecay = true,
                Epsilon = 0
            });
        optimizer.LearningRate = 0.1;
        weight.grad = tensor(new[] { 3.0 });
        optimizer.Step();
        var decayed = 2 * (1 - (0.1 * 0.1 / 0.5 * 0.2));
        // the update, 1, is brought to the weight's length
        Assert.Equal(decayed - (0.1 * decayed), weight.item<double>(), tolerance: 1e-12);
    }

    [Fact]
    public void LAMB_may_add_the_unscaled_gradient_to_its_first_moment()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new[] { 2.0 }));
        using var optimizer =
            new Lamb([("w", weight)],
            new LambOptions
            {
                AverageGradient = false,
                WeightDecay = 0,
                MaximumGradientNorm = null,
                BiasCorrection = LambBiasCorrection.None,
                LearningRate = 0.1,
                Epsilon = 1
            });
        weight.grad = tensor(new[] { 3.0 });
        optimizer.Step();
        Assert.Equal(2 - (0.1 * 3 / (Math.Sqrt(0.001 * 9) + 1)), weight.item<double>(), tolerance: 1e-12);
    }

    [Fact]
    public void SOAP_with_merged_dimensions_equals_SOAP_on_a_reshaped_parameter() =>
        Same(new SoapOptions { MergeDimensions = true, MaximumDimension = 12, PreconditionFrequency = 2 }, [4, 3, 2, 2],
            new SoapOptions { MaximumDimension = 12, PreconditionFrequency = 2 }, [12, 4]);

    [Fact]
    public void SOAP_can_precondition_a_vector_like_a_column_matrix() =>
        Same(new SoapOptions { PreconditionVectors = true, PreconditionFrequency = 2 }, [5],
            new SoapOptions { PreconditionFrequency = 2 }, [5, 1]);

    [Fact]
    public void Normalized_updates_of_SOAP_have_the_learning_rate_as_their_RMS()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(zeros(4, 5));
        using var optimizer =
            new Soap([("w", weight)],
            new SoapOptions { NormalizeUpdates = true, LearningRate = 0.1, WeightDecay = 0, BiasCorrection = false });
        for (var step = 0; step < 3; step++)
        {
            var before = weight.detach().clone();
            weight.grad = randn(4, 5);
            optimizer.Step();
            Assert.Equal(step == 0 ? 0 : 0.1, (weight - before).square().mean().sqrt().item<float>(), tolerance: 1e-5);
        }
    }

    [Fact]
    public void Prodigy_with_slices_equals_Prodigy_without_if_values_come_in_pairs()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var (all, half) = (new Parameter(ones(12, dtype: float64)), new Parameter(ones(12, dtype: float64)));
        using var one = new Prodigy([("w", all)], new ProdigyOptions { InitialDistance = 0.01 });
        using var other = new Prodigy([("w", half)], new ProdigyOptions { InitialDistance = 0.01, Slice = 2 });
        for (var step = 0; step < 10; step++)
        {
            all.grad = half.grad = (randn([6], dtype: float64, generator: generator) + 1).repeat_interleave(2);
            one.Step();
            other.Step();
        }
        Assert.Equal(6, other.State()["w.s"].numel());
        Assert.True(one.Distance > 0.01, $"{one.Distance}");
        Assert.Equal(one.Distance, other.Distance, one.Distance * 1e-9);
        Near.Check("weights", all, half, 1e-9);
        Assert.Throws<ArgumentException>(() =>
            new Prodigy([("w", all)], new ProdigyOptions { Groups = [new(ParameterRules.All) { LearningRateFactor = 0.5 }] }));
        Assert.Throws<ArgumentException>(() => new Prodigy([("w", all)], new ProdigyOptions { Slice = 0 }));
    }

    [Fact]
    public void Inner_momentum_of_schedule_free_AdamW_is_Adams_first_moment()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new[] { 1.0 }));
        using var optimizer =
            new ScheduleFreeAdamW([("w", weight)],
            new ScheduleFreeAdamWOptions { LearningRate = 0.1, Beta1 = 0.8, Beta2 = 0.9, InnerMomentum = 0.5, Epsilon = 0 });
        var (y, z, mean, square) = (1.0, 1.0, 0.0, 0.0);
        for (var step = 1; step <= 5; step++)
        {
            var gradient = 3.0 - step;
            (mean, square) = ((0.5 * mean) + (0.5 * gradient), (0.9 * square) + (0.1 * gradient * gradient));
            var update = mean / (1 - Math.Pow(0.5, step)) / Math.Sqrt(square / (1 - Math.Pow(0.9, step)));
            y = y + ((z - y) / step) + (0.1 * ((0.8 * (1 - (1.0 / step))) - 1) * update);
            z -= 0.1 * update;
            weight.grad = tensor(new[] { gradient });
            optimizer.Step();
            Assert.Equal(y, weight.item<double>(), tolerance: 1e-12);
        }
    }

    [Fact]
    public void Contradictory_settings_are_refused()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(2));
        Assert.Contains("RelativeStep",
            Assert.Throws<ArgumentException>(() =>
            new Adafactor([("w", weight)], new AdafactorOptions { LearningRate = 0.01 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() =>
            new Adafactor([("w", weight)], new AdafactorOptions { RelativeStep = false, WarmupRelativeStep = true }));
        Assert.Throws<ArgumentException>(() => new FusedSgd([("w", weight)], new FusedSgdOptions { Nesterov = true }));
        Assert.Throws<ArgumentException>(() =>
            new FusedSgd([("w", weight)], new FusedSgdOptions { Nesterov = true, Momentum = 0.9, Dampening = 0.1 }));
    }

    [Fact]
    public void Maximizing_equals_minimizing_the_negated_objective()
    {
        foreach (var (down, up) in new (OptimizerSettings, OptimizerSettings)[]
        {
            (new FusedAdamWOptions(), new FusedAdamWOptions { Maximize = true }),
            (new FusedAdamOptions { WeightDecay = 0.1 }, new FusedAdamOptions { WeightDecay = 0.1, Maximize = true }),
            (new FusedSgdOptions { WeightDecay = 0.1, Momentum = 0.9, Nesterov = true },
                new FusedSgdOptions { WeightDecay = 0.1, Momentum = 0.9, Nesterov = true, Maximize = true }),
            (new SophiaGOptions { LearningRate = 0.1 }, new SophiaGOptions { LearningRate = 0.1, Maximize = true }),
        })
        {
            using var scope = NewDisposeScope();
            var (one, other) = (new Parameter(ones(4)), new Parameter(ones(4)));
            using var downhill = down.Create([("w", one)]);
            using var uphill = up.Create([("w", other)]);
            for (var step = 0; step < 3; step++)
            {
                one.grad = arange(4).to(float32) - step;
                other.grad = step - arange(4).to(float32);
                downhill.Step();
                uphill.Step();
            }
            Near.Check(down.GetType().Name, one, other, 0);
            Assert.True((one - 1).abs().max().item<float>() > 0);
        }
    }

    private static void Same(SoapOptions options, long[] shape, SoapOptions otherOptions, long[] otherShape)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var (one, other) = (new Parameter(ones(shape, float64)), new Parameter(ones(otherShape, float64)));
        using var first = new Soap([("w", one)], options);
        using var second = new Soap([("w", other)], otherOptions);
        for (var step = 0; step < 6; step++)
        {
            one.grad = randn(shape, dtype: float64, generator: generator);
            other.grad = one.grad!.reshape(otherShape).clone();
            first.Step();
            second.Step();
        }
        Near.Check("weights", one, other.view(shape), 1e-9);
        Assert.True((one - 1).abs().max().item<double>() > 1e-3);
    }
}
