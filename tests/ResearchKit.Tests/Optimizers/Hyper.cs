using System.Text.Json;
using ResearchKit.Optimizers;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

/// <summary>Arguments of a reference optimizer, and the kit's options that say the same.</summary>
internal sealed class Hyper(JsonElement given)
{
    private static readonly Dictionary<string, Func<Hyper, OptimizerSettings>> Families = new()
    {
        ["adamw"] = hyper => hyper.With(new FusedAdamWOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.9),
                Beta2 = hyper.Beta(1, 0.999),
                Epsilon = hyper.Number("eps", 1e-8),
                AmsGrad = hyper.Flag("amsgrad"),
                Maximize = hyper.Flag("maximize")
            }),
        ["adam"] = hyper => hyper.With(new FusedAdamOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.9),
                Beta2 = hyper.Beta(1, 0.999),
                Epsilon = hyper.Number("eps", 1e-8),
                AmsGrad = hyper.Flag("amsgrad"),
                Maximize = hyper.Flag("maximize")
            }),
        ["sgd"] = hyper => hyper.With(new FusedSgdOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Momentum = hyper.Number("momentum", 0),
                Dampening = hyper.Number("dampening", 0),
                Nesterov = hyper.Flag("nesterov"),
                Maximize = hyper.Flag("maximize")
            }),
        ["lion"] = hyper => hyper.With(new LionOptions(), (options, lr, decay) =>
            options with { LearningRate = lr, WeightDecay = decay, Beta1 = hyper.Beta(0, 0.9), Beta2 = hyper.Beta(1, 0.99) }),
        ["sophia_g"] = hyper =>
            hyper.With(new SophiaGOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.965),
                Beta2 = hyper.Beta(1, 0.99),
                Rho = hyper.Number("rho", 0.04),
                BatchSize = hyper.Number("bs", 5120)
            }),
        ["adan"] = hyper => hyper.With(new AdanOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.98),
                Beta2 = hyper.Beta(1, 0.92),
                Beta3 = hyper.Beta(2, 0.99),
                Epsilon = hyper.Number("eps", 1e-8),
                MaximumGradientNorm = hyper.Number("max_grad_norm", 0) is > 0 and var norm
            ? norm : null,
                ProximalDecay = !hyper.Flag("no_prox")
            }),
        ["adafactor"] = hyper =>
            new AdafactorOptions
            {
                LearningRate = hyper.Number("lr", 1),
                WeightDecay = hyper.Number("weight_decay", 0),
                RelativeStep = hyper.Flag("relative_step", true),
                WarmupRelativeStep = hyper.Flag("warmup_init"),
                ScaleParameter = hyper.Flag("scale_parameter", true),
                ClipThreshold = hyper.Number("clip_threshold", 1),
                DecayRate = hyper.Number("decay_rate", -0.8),
                Beta1 = hyper.Has("beta1") ? hyper.Number("beta1", 0) : null
            },
        ["lamb_v3"] = hyper =>
            hyper.With(LambOptions.Paper,
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.9),
                Beta2 = hyper.Beta(1, 0.999),
                Epsilon = hyper.Number("eps", 1e-6),
                MaximumWeightNorm = hyper.Number("clamp_value", 10),
                BiasCorrection = hyper.Flag("debias") ? LambBiasCorrection.LearningRate : LambBiasCorrection.None
            }),
        ["lamb_timm"] = hyper =>
            hyper.With(new LambOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.9),
                Beta2 = hyper.Beta(1, 0.999),
                Epsilon = hyper.Number("eps", 1e-6),
                MaximumGradientNorm = hyper.Has("max_grad_norm")
            ? hyper.Number("max_grad_norm", 1)
            : null,
                ClipTrust = hyper.Flag("trust_clip"),
                AlwaysAdapt = hyper.Flag("always_adapt")
            }),
        ["schedule_free_adamw"] =
            hyper => hyper.With(new ScheduleFreeAdamWOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.9),
                Beta2 = hyper.Beta(1, 0.999),
                Epsilon = hyper.Number("eps", 1e-8),
                WarmupSteps = (int)hyper.Number("warmup_steps", 0),
                StepPower = hyper.Number("r", 0),
                RatePower = hyper.Number("weight_lr_power", 2)
            }),
        ["schedule_free_sgd"] =
            hyper => hyper.With(new ScheduleFreeSgdOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Momentum = hyper.Number("momentum", 0.9),
                WarmupSteps = (int)hyper.Number("warmup_steps", 0),
                StepPower = hyper.Number("r", 0),
                RatePower = hyper.Number("weight_lr_power", 2)
            }),
        ["muon_f32"] = hyper => hyper.Muon(new MuonOptions { NewtonSchulzPrecision = ScalarType.Float32 }),
        ["muon_bf16"] = hyper => hyper.Muon(new MuonOptions()),
        ["muon_aux_adam_f32"] = hyper => hyper.Inner("muon")
            .Muon(new MuonOptions { NewtonSchulzPrecision = ScalarType.Float32 }) with
        {
            AdamW =
            (FusedAdamWOptions)hyper.Inner("aux_adam").Options("adamw")
        },
        ["soap"] = hyper => hyper.With(new SoapOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.95),
                Beta2 = hyper.Beta(1, 0.95),
                Epsilon = hyper.Number("eps", 1e-8),
                ShampooBeta = hyper.Has("shampoo_beta") ? hyper.Number("shampoo_beta", 0)
            : null,
                PreconditionFrequency = (int)hyper.Number("precondition_frequency", 10),
                MaximumDimension = (int)hyper.Number("max_precond_dim", 10_000),
                BiasCorrection = hyper.Flag("correct_bias", true)
            }),
        ["prodigy"] = hyper =>
            hyper.With(new ProdigyOptions(),
            (options, lr, decay) =>
            options with
            {
                LearningRate = lr,
                WeightDecay = decay,
                Beta1 = hyper.Beta(0, 0.9),
                Beta2 = hyper.Beta(1, 0.999),
                InitialDistance = hyper.Number("d0", 1e-6),
                DistanceFactor = hyper.Number("d_coef", 1),
                GrowthRate = hyper.Number("growth_rate", double.PositiveInfinity),
                BiasCorrection = hyper.Flag("use_bias_correction"),
                SafeguardWarmup = hyper.Flag("safeguard_warmup"),
                DecoupledDecay = hyper.Flag("decouple", true)
            }),
        ["shampoo_formula"] =
            hyper => hyper.With(new ShampooOptions(), (options, lr, decay) =>
            options with { LearningRate = lr, WeightDecay = decay, Epsilon = hyper.Number("epsilon", 1e-4) }),
    };

    public static bool Knows(string family) => Families.ContainsKey(family);

    public OptimizerSettings Options(string family) => Families[family](this);

    public Hyper Inner(string name) => new(given.GetProperty(name));

    public bool Has(string name) => given.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    public double Number(string name, double otherwise) => Has(name) ? given.GetProperty(name).GetDouble() : otherwise;

    public bool Flag(string name, bool otherwise = false) => Has(name) ? given.GetProperty(name).GetBoolean() : otherwise;

    public string Text(string name) => given.GetProperty(name).GetString()!;

    public double Beta(int index, double otherwise) => Has("betas") ? given.GetProperty("betas")[index].GetDouble() : otherwise;

    private MuonOptions Muon(MuonOptions options) =>
        With(options, (muon, lr, decay) =>
            muon with { LearningRate = lr, WeightDecay = decay, Momentum = Number("momentum", 0.95) });

    private T With<T>(T defaults, Func<T, double, double, T> set) where T : OptimizerSettings =>
        set(defaults, Number("lr", defaults.LearningRate), Number("weight_decay", defaults.WeightDecay));
}
