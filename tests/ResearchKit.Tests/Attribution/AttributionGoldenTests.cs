using ResearchKit.Attribution;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Attribution;

/// <summary>Attributions equal those of Captum 0.7 on the same networks and inputs.</summary>
public sealed class AttributionGoldenTests
{
    [Theory]
    [InlineData("cnn_501")]
    [InlineData("cnn_502")]
    [InlineData("mlp_tanh_511")]
    [InlineData("mlp_relu_512")]
    public void Gradients(string name)
    {
        using var golden = new AttributionGolden(name);
        golden.Check("saliency_abs", new Saliency());
        golden.Check("input_x_gradient", new Saliency { TimesInput = true });
        if (name.StartsWith("cnn", StringComparison.Ordinal)) golden.Check("saliency_signed", new Saliency { Absolute = false });
        if (!name.Contains("tanh", StringComparison.Ordinal)) golden.Check("guided_backprop", new GuidedBackprop());
    }

    [Theory]
    [InlineData("cnn_501")]
    [InlineData("cnn_502")]
    public void Integrated_gradients_of_images(string name)
    {
        using var golden = new AttributionGolden(name);
        foreach (var (reference, rule) in new[]
        {
            ("gausslegendre", Quadrature.GaussLegendre), ("riemann_trapezoid", Quadrature.RiemannTrapezoid),
            ("riemann_middle", Quadrature.RiemannMiddle), ("riemann_left", Quadrature.RiemannLeft),
            ("riemann_right", Quadrature.RiemannRight),
        })
            golden.Check($"ig_zero_{reference}", new IntegratedGradients { Quadrature = rule, BatchSize = 7 });
        var baseline = golden.Input("baseline");
        golden.Check("ig_base_gausslegendre", new IntegratedGradients { Baseline = baseline });
        golden.Check("ig_base_grad_only", new IntegratedGradients { Baseline = baseline, Steps = 20, MultiplyByInputs = false });
    }

    [Theory]
    [InlineData("cnn_501", "conv1")]
    [InlineData("cnn_501", "conv2")]
    [InlineData("cnn_501", "relu2")]
    [InlineData("cnn_502", "conv1")]
    [InlineData("cnn_502", "conv2")]
    [InlineData("cnn_502", "relu2")]
    public void Layers_of_a_convolutional_network(string name, string layer)
    {
        using var golden = new AttributionGolden(name);
        golden.Check($"gradcam_{layer}", new ClassActivationMap { At = layer, Relu = false });
        golden.Check($"gradcam_{layer}_relu", new ClassActivationMap { At = layer });
        golden.Check($"layer_grad_x_act_{layer}", new Saliency { At = layer, TimesInput = true });
        var baseline = golden.Input("baseline");
        var integrated = new IntegratedGradients { At = layer, Baseline = baseline };
        golden.Check($"layer_ig_{layer}", integrated);
        golden.Check($"layer_conductance_{layer}", integrated with { Form = IntegratedForm.Conductance, BatchSize = 9 });
        golden.Check($"internal_influence_{layer}", integrated with { Form = IntegratedForm.InternalInfluence });
        if (layer != "relu2") golden.Check($"layer_deeplift_{layer}", new DeepLift { At = layer, Baseline = baseline });
    }

    [Theory]
    [InlineData("cnn_501")]
    [InlineData("cnn_502")]
    public void Maps_and_perturbations_of_images(string name)
    {
        using var golden = new AttributionGolden(name);
        golden.Check("gradcam_conv2_up_nearest",
            new ClassActivationMap { At = "conv2", Relu = false, Enlarge = Enlargement.Nearest });
        golden.Check("gradcam_conv2_up_bilinear",
            new ClassActivationMap { At = "conv2", Relu = false, Enlarge = Enlargement.Bilinear });
        golden.Check("deconvolution", new GuidedBackprop { Deconvolution = true });
        var guided = golden.Attribute(new GuidedBackprop()).Values;
        var map = golden.Attribute(new ClassActivationMap { At = "conv2", Enlarge = Enlargement.Nearest }).Values;
        golden.Check("guided_gradcam_conv2", guided * map);
        golden.Check("occlusion_w3_s2", new Occlusion { Window = [1, 3, 3], Stride = [1, 2, 2] });
        golden.Check("occlusion_w4_s3_base",
            new Occlusion { Window = [1, 4, 4], Stride = [1, 3, 3], Baseline = golden.Input("baseline") });
        golden.Check("ablation_pixel", new FeatureAblation());
        golden.Check("ablation_mask9",
            new FeatureAblation { Groups = golden.Input("feature_mask9"), Baseline = golden.Input("baseline") });
        golden.Check("shapley_mask4",
            new ShapleyValues { Groups = golden.Input("feature_mask4"), Baseline = golden.Input("baseline") });
    }

    [Theory]
    [InlineData("cnn_501")]
    [InlineData("cnn_502")]
    [InlineData("mlp_tanh_511")]
    [InlineData("mlp_relu_512")]
    public void DeepLift_sums_to_the_score(string name)
    {
        using var golden = new AttributionGolden(name);
        golden.Check("deeplift_base", new DeepLift { Baseline = golden.Input("baseline") });
        if (name.StartsWith("cnn", StringComparison.Ordinal)) golden.Check("deeplift_zero", new DeepLift());
        golden.Check("deepliftshap", new DeepLift { BaselineSet = golden.Input("baseline_set") });
    }

    [Theory]
    [InlineData("cnn_501")]
    [InlineData("cnn_502")]
    public void Noisy_gradients(string name)
    {
        using var golden = new AttributionGolden(name);
        var noisy = new SmoothGrad { Noise = golden.Input("smoothgrad_noise"), BatchSize = 5 };
        golden.Check("smoothgrad", noisy);
        golden.Check("smoothgrad_sq", noisy with { Kind = SmoothGradKind.Squared });
        golden.Check("vargrad", noisy with { Kind = SmoothGradKind.Variance });
    }

    [Theory]
    [InlineData("mlp_tanh_511")]
    [InlineData("mlp_relu_512")]
    public void Tables(string name)
    {
        using var golden = new AttributionGolden(name);
        var baseline = golden.Input("baseline");
        foreach (var steps in new[] { 5, 50 })
        {
            golden.Check($"ig_base_gausslegendre_{steps}", new IntegratedGradients { Baseline = baseline, Steps = steps });
            golden.Check($"ig_base_riemann_trapezoid_{steps}",
                new IntegratedGradients { Baseline = baseline, Steps = steps, Quadrature = Quadrature.RiemannTrapezoid });
        }
        golden.Check("ablation_zero", new FeatureAblation());
        golden.Check("ablation_base", new FeatureAblation { Baseline = baseline });
        golden.Check("occlusion_w2_s1", new Occlusion { Window = [2] });
        golden.Check("shapley_exact", new ShapleyValues { Baseline = baseline });
        golden.Check("shapley_exact_mask3",
            new ShapleyValues { Baseline = baseline, Groups = tensor(new long[] { 0, 0, 1, 1, 2, 2 }) });
        golden.Check("feature_permutation", new FeaturePermutation { Permutation = golden.Input("permutation") });
        golden.Check("kernel_shap_enumerated", new ShapleyValues { Baseline = baseline, Algorithm = ShapleyAlgorithm.Kernel });
        foreach (var layer in new[] { "fc1", "act2" })
            golden.Check($"layer_conductance_{layer}",
                new IntegratedGradients { Baseline = baseline, At = layer, Form = IntegratedForm.Conductance });
        golden.Check("neuron_conductance_act2_3", new IntegratedGradients
        {
            Baseline = baseline,
            At = "act2",
            Form = IntegratedForm.NeuronConductance,
            Neuron = [3],
            Quadrature = Quadrature.RiemannTrapezoid,
        });
        golden.Check("neuron_gradient_act2_3", new Saliency { At = "act2", Neuron = [3], Absolute = false });
    }

    [Theory]
    [InlineData("attention_521")]
    [InlineData("attention_522")]
    public void Tokens(string name)
    {
        using var golden = new AttributionGolden(name);
        var baseline = golden.Input("baseline_tokens");
        foreach (var (reference, rule) in new[]
        {
            ("gausslegendre", Quadrature.GaussLegendre), ("riemann_trapezoid", Quadrature.RiemannTrapezoid),
        })
        {
            var integrated = new IntegratedGradients { Baseline = baseline, At = "emb", Quadrature = rule };
            golden.Check($"layer_ig_emb_{reference}", integrated, "tokens");
            golden.Check($"layer_ig_emb_{reference}_per_token", golden.Attribute(integrated, "tokens").Sum(2));
        }
        golden.Check("grad_emb", new Saliency { At = "emb", Absolute = false }, "tokens");
        golden.Check("grad_x_act_emb", new Saliency { At = "emb", TimesInput = true }, "tokens");
        golden.Check("token_ablation", new FeatureAblation(), "tokens");
        // The reference averages 720 orders in float32 and is itself 3e-6 from the value in float64.
        golden.Check("token_shapley", golden.Attribute(new ShapleyValues(), "tokens").Values, least: 4e-6);
        golden.Check("token_occlusion_w2", new Occlusion { Window = [2] }, "tokens");
    }

    [Theory]
    [InlineData("cnn_501")]
    [InlineData("cnn_502")]
    [InlineData("mlp_tanh_511")]
    [InlineData("mlp_relu_512")]
    public void Infidelity_and_sensitivity(string name)
    {
        using var golden = new AttributionGolden(name);
        var (input, baseline) =
            (golden.Input("x"), name.StartsWith("cnn", StringComparison.Ordinal) ? null : golden.Input("baseline"));
        var attributions = golden.Attribute(new IntegratedGradients { Baseline = baseline }).Values;
        Tensor Samples(string kind) => golden.Input($"{kind}_perturbation").view([input.shape[0], -1, .. input.shape.Skip(1)]);
        double[] Of(bool normalize) =>
            Infidelity.Of(golden.Model, input, golden.Target, attributions, Samples("infidelity"), normalize, batchSize: 13);
        golden.Check("infidelity_ig", tensor(Of(false)));
        golden.Check("infidelity_ig_normalized", tensor(Of(true)));
        golden.Check("sensitivity_max_saliency_signed",
            tensor(Infidelity.MaxSensitivity(new Saliency { Absolute = false }, golden.Model,
            input, golden.Target, Samples("sensitivity"))));
    }
}
