using System.Text.Json;
using ResearchKit.Optimizers;

namespace ResearchKit.Tests.Optimizers;

/// <summary>Every schedule against the rates of its reference.</summary>
public sealed class GoldenSchedulesTests
{
    private static readonly JsonElement Golden =
        JsonDocument.Parse(File.ReadAllText(Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "schedules",
            "schedules.json"))).RootElement;

    public static TheoryData<string> Names => [.. Golden.GetProperty("schedules").EnumerateObject().Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_equals_the_reference_at_every_step(string name)
    {
        var golden = Golden.GetProperty("schedules").GetProperty(name);
        var hyper = golden.GetProperty("hyper");
        Check(name, golden.GetProperty("lr"), Schedule(name, hyper));
        if (golden.TryGetProperty("momentum", out var momentum) && momentum.ValueKind == JsonValueKind.Array
            && name.StartsWith("onecycle", StringComparison.Ordinal))
            Check(name, momentum, Cycle(hyper).Momentum);
    }

    private static void Check(string name, JsonElement expected, Func<int, double> schedule)
    {
        var (relative, absolute) =
            (Golden.GetProperty("tolerance_rel").GetDouble(), Golden.GetProperty("tolerance_abs").GetDouble());
        Assert.Equal(100, expected.GetArrayLength());
        foreach (var (i, rate) in expected.EnumerateArray().Index())
        {
            var (wanted, got) = (rate.GetDouble(), schedule(i + 1));
            Assert.True(Math.Abs(wanted - got) <= absolute + (relative * Math.Abs(wanted)),
                $"{name} step {i + 1}: expected {wanted}, got {got}");
        }
    }

    private static Func<int, double> Schedule(string name, JsonElement hyper)
    {
        double Number(string key, double otherwise = double.NaN) =>
            hyper.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : otherwise;
        int Count(string key) => (int)Number(key);
        var peak = Number("base_lr");
        return name switch
        {
            "warmup_linear_a" or "warmup_linear_b" =>
                Schedules.LinearWithWarmup(peak, Count("num_warmup_steps"), Count("num_training_steps")),
            _ when name.StartsWith("warmup_cosine", StringComparison.Ordinal) =>
                Schedules.CosineWithWarmup(peak, Count("num_warmup_steps"), Count("num_training_steps"),
                peak * Number("min_lr_rate", 0), Number("num_cycles")),
            _ when name.StartsWith("cosine_hard_restarts", StringComparison.Ordinal) =>
                Schedules.CosineWithRestarts(peak, Count("num_warmup_steps"), Count("num_training_steps"), Number("num_cycles")),
            "polynomial_torch" => Schedules.Polynomial(peak, 0, Count("total_iters"), Number("power")),
            _ when name.StartsWith("polynomial", StringComparison.Ordinal) =>
                Schedules.PolynomialWithWarmup(peak, Count("num_warmup_steps"), Count("num_training_steps"), Number("lr_end"),
                    Number("power")),
            _ when name.StartsWith("inverse_sqrt", StringComparison.Ordinal) =>
                Schedules.InverseSquareRoot(peak, Count("num_warmup_steps"),
                    double.IsNaN(Number("timescale")) ? null : Count("timescale")),
            _ when name.StartsWith("wsd", StringComparison.Ordinal) =>
                Schedules.WarmupStableDecay(peak, Count("num_warmup_steps"), Count("num_stable_steps"),
                Count("num_decay_steps"), peak * Number("min_lr_ratio"), Shape(hyper, "warmup_type"), Shape(hyper, "decay_type")),
            "nanogpt_cosine" => NanoGpt(Number("learning_rate"), Number("min_lr"), Count("warmup_iters"),
                Count("lr_decay_iters")),
            _ when name.StartsWith("noam", StringComparison.Ordinal) =>
                Schedules.Noam(Count("d_model"), Count("warmup"), Number("factor")),
            "fairseq_inverse_sqrt" =>
                Schedules.InverseSquareRoot(Number("lr"), Count("warmup_updates"), first: Number("warmup_init_lr")),
            _ when name.StartsWith("onecycle", StringComparison.Ordinal) => Cycle(hyper).Rate,
            _ when name.StartsWith("cosine_warm_restarts", StringComparison.Ordinal) =>
                Schedules.WarmRestarts(peak, Count("T_0"), Count("T_mult"), Number("eta_min")),
            "cosine_annealing" => Schedules.Cosine(peak, Number("eta_min"), Count("T_max")),
            "step" => Schedules.StepDecay(peak, Count("step_size"), Number("gamma")),
            "multistep" => Schedules.StepDecay(peak,
                [.. hyper.GetProperty("milestones").EnumerateArray().Select(one => one.GetInt32())], Number("gamma")),
            "exponential" => Schedules.Exponential(peak, Number("gamma")),
            "linear_torch" => Schedules.Linear(peak * Number("start_factor"), peak * Number("end_factor"), Count("total_iters")),
            "cyclic_triangular2" => Schedules.Cyclic(peak, Number("max_lr"), Count("step_size_up"), Count("step_size_down"), 0.5),
            _ => throw new KeyNotFoundException($"No schedule of the kit is compared with {name}."),
        };
    }

    /// <summary>A warm-up that would reach the peak a step later, and a cosine: put together from phases.</summary>
    private static Func<int, double> NanoGpt(double peak, double final, int warmup, int end) =>
        Schedules.Linear(peak / (warmup + 1), peak, warmup)
            .Then(warmup, Schedules.Phase(peak, final, end - warmup, RateShape.Cosine));

    private static OneCycle Cycle(JsonElement hyper)
    {
        double Number(string key, double otherwise) => hyper.TryGetProperty(key, out var value) ? value.GetDouble() : otherwise;
        return new OneCycle
        {
            Peak = Number("max_lr", 0),
            Steps = (int)Number("total_steps", 0),
            RiseShare = Number("pct_start", 0.3),
            Shape = hyper.TryGetProperty("anneal_strategy", out _) ? Shape(hyper, "anneal_strategy") : RateShape.Cosine,
            FirstDivisor = Number("div_factor", 25),
            LastDivisor = Number("final_div_factor", 1e4),
            ThreePhases = hyper.TryGetProperty("three_phase", out var three) && three.GetBoolean(),
        };
    }

    private static RateShape Shape(JsonElement hyper, string key) => hyper.GetProperty(key).GetString() switch
    {
        "linear" => RateShape.Linear,
        "cosine" or "cos" => RateShape.Cosine,
        _ => RateShape.OneMinusSqrt,
    };
}
